import { useMutation, useQueryClient } from "@tanstack/react-query";
import { App as AntApp } from "antd";

/** Do something at the server: refresh what it changes, and say what went wrong. */
export function useAction<In, Out>(
  work: (input: In) => Promise<Out>,
  options: { refresh?: string[]; done?: string | ((output: Out, input: In) => string | undefined); then?: (output: Out, input: In) => void } = {},
) {
  const { message } = AntApp.useApp();
  const queries = useQueryClient();
  return useMutation({
    mutationFn: work,
    onSuccess: (output, input) => {
      for (const key of options.refresh ?? []) void queries.invalidateQueries({ queryKey: [key] });
      const text = typeof options.done === "function" ? options.done(output, input) : options.done;
      if (text) void message.success(text);
      options.then?.(output, input);
    },
    onError: (error) => void message.error(error.message, 6),
  });
}
