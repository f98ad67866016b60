import { useQuery } from "@tanstack/react-query";

import { api, take } from "@/lib/api";

/** The user who is signed in. */
export function useMe() {
  return useQuery({ queryKey: ["me"], queryFn: () => take(api.GET("/api/v1/me")), staleTime: 60_000 });
}
