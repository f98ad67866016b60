"""HTTP of keys. Decisions are the service's."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends

from cashup.runtime.auth import Caller, Permission
from cashup.runtime.context import require
from cashup.services.core.keys import schemas
from cashup.services.core.keys.service import ApiKeyService, CredentialService, ExchangeKey

Me = Annotated[Caller, Depends(require(Permission.PROFILE))]
Holder = Annotated[Caller, Depends(require(Permission.CREDENTIALS))]


def router(api_keys: ApiKeyService, credentials: CredentialService) -> APIRouter:
    """Return the routes."""
    routes = APIRouter(prefix="/api/v1", tags=["keys"])

    @routes.get("/api-keys")
    async def list_keys(caller: Me) -> list[schemas.ApiKeyOut]:
        """List the caller's API keys."""
        return [schemas.ApiKeyOut.of(row) for row in await api_keys.list(caller)]

    @routes.post("/api-keys", status_code=201)
    async def create_key(caller: Me, body: schemas.ApiKeyIn) -> schemas.NewApiKeyOut:
        """Make an API key; its secret is shown this once."""
        row, key, secret = await api_keys.create(
            caller,
            name=body.name,
            scopes=body.scopes,
            addresses=body.addresses,
            expires_at=body.expires_at,
            signed=body.signed,
        )
        return schemas.NewApiKeyOut(**schemas.ApiKeyOut.of(row).model_dump(), key=key, secret=secret)

    @routes.delete("/api-keys/{key_id}", status_code=204)
    async def revoke_key(caller: Me, key_id: str) -> None:
        """End an API key."""
        await api_keys.revoke(caller, key_id)

    @routes.get("/credentials")
    async def list_credentials(caller: Holder) -> list[schemas.CredentialOut]:
        """List the caller's keys at exchanges, without secrets."""
        return [schemas.CredentialOut.of(row) for row in await credentials.list(caller)]

    @routes.post("/credentials", status_code=201)
    async def create_credential(caller: Holder, body: schemas.CredentialIn) -> schemas.CredentialOut:
        """Keep a key at an exchange, after asking the exchange what it may do."""
        key = ExchangeKey(
            exchange=body.exchange,
            testnet=body.testnet,
            api_key=body.api_key.get_secret_value(),
            api_secret=body.api_secret.get_secret_value(),
            passphrase=body.passphrase.get_secret_value(),
        )
        row = await credentials.create(
            caller, name=body.name, key=key, allow_withdrawal=body.allow_withdrawal
        )
        return schemas.CredentialOut.of(row)

    @routes.post("/credentials/{credential_id}/check")
    async def check_credential(caller: Holder, credential_id: str) -> schemas.CredentialOut:
        """Ask the exchange again what a key may do."""
        return schemas.CredentialOut.of(await credentials.check(caller, credential_id))

    @routes.delete("/credentials/{credential_id}", status_code=204)
    async def delete_credential(caller: Holder, credential_id: str) -> None:
        """Forget a key."""
        await credentials.delete(caller, credential_id)

    return routes
