import { create } from "zustand";

/** The access token lives in memory alone; the refresh token in a cookie no script can read. */
interface Session {
  token: string;
  state: "unknown" | "in" | "out";
  signIn: (token: string) => void;
  signOut: () => void;
}

export const useSession = create<Session>((set) => ({
  token: "",
  state: "unknown",
  signIn: (token) => set({ token, state: "in" }),
  signOut: () => set({ token: "", state: "out" }),
}));

let refreshing: Promise<boolean> | null = null;

/** Exchange the cookie for a new access token; callers at the same time share one request. */
export function refresh(): Promise<boolean> {
  refreshing ??= (async () => {
    try {
      const answer = await fetch("/api/v1/auth/refresh", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: "{}",
      });
      if (!answer.ok) {
        useSession.getState().signOut();
        return false;
      }
      const body = (await answer.json()) as { access_token: string };
      useSession.getState().signIn(body.access_token);
      return true;
    } catch {
      return false;
    } finally {
      refreshing = null;
    }
  })();
  return refreshing;
}
