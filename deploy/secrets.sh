#!/bin/sh
# Make the passwords and keys of an installation, once, into deploy/.env (readable by its owner alone).
set -eu
cd "$(dirname "$0")"
[ -e .env ] && { echo "deploy/.env is there already"; exit 1; }
umask 077
secret() { head -c 32 /dev/urandom | base64 | tr '+/' '-_' | tr -d '=\n'; }
postgres=$(secret)
redis=$(secret)
{
  echo "POSTGRES_USER=cashup"
  echo "POSTGRES_DB=cashup"
  echo "POSTGRES_PASSWORD=$postgres"
  echo "REDIS_PASSWORD=$redis"
  echo "DATABASE_URL=postgresql+asyncpg://cashup:$postgres@postgres:5432/cashup"
  echo "REDIS_URL=redis://:$redis@redis:6379/0"
  echo "JWT_SECRET_KEY=$(secret)"
  echo "CASHUP_MASTER_KEY=$(secret)="
  echo "GF_SECURITY_ADMIN_PASSWORD=$(secret)"
} > .env
echo "deploy/.env was made. Keep a copy of CASHUP_MASTER_KEY elsewhere: backups and exchange keys need it."
