import createClient, { type Middleware } from "openapi-fetch";

import type { components, paths } from "@/lib/schema";
import { refresh, useSession } from "@/lib/session";

export type Schemas = components["schemas"];

/** What went wrong, in the words of the server (RFC 9457). */
export class ApiError extends Error {
  constructor(
    message: string,
    readonly status: number,
    readonly code: string,
    readonly field?: string,
  ) {
    super(message);
  }
}

const signed: Middleware = {
  onRequest({ request }) {
    const { token } = useSession.getState();
    if (token) request.headers.set("authorization", `Bearer ${token}`);
    return request;
  },
};

async function fetchSignedIn(request: Request): Promise<Response> {
  const again = request.clone();
  const answer = await fetch(request);
  const ended = answer.status === 401 && useSession.getState().state === "in";
  if (!ended || !(await refresh())) return answer;
  again.headers.set("authorization", `Bearer ${useSession.getState().token}`);
  return fetch(again);
}

export const api = createClient<paths>({ baseUrl: "", fetch: fetchSignedIn });
api.use(signed);

interface Answer<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

/** Return the data of an answer, or throw what the server says of the error. */
export async function take<T>(answer: Promise<Answer<T>>): Promise<T> {
  const { data, error, response } = await answer;
  if (response.ok) return data as T;
  const problem = (error ?? {}) as { detail?: string; code?: string; field?: string };
  throw new ApiError(problem.detail ?? response.statusText, response.status, problem.code ?? "error", problem.field);
}
