import { useEffect, useRef } from "react";
import { create } from "zustand";

import { useSession } from "@/lib/session";

type Handler = (data: unknown) => void;

interface LiveState {
  connected: boolean;
}

export const useLiveState = create<LiveState>(() => ({ connected: false }));

const handlers = new Map<string, Set<Handler>>();
const seen = new Map<string, number>();
const resync = new Set<() => void>();
let socket: WebSocket | null = null;
let attempts = 0;

function say(message: Record<string, unknown>): void {
  if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
}

function subscribe(topic: string): void {
  const after = seen.get(topic);
  say(after === undefined ? { type: "subscribe", topic } : { type: "subscribe", topic, after });
}

function heard(text: string): void {
  const message = JSON.parse(text) as { type?: string; topic?: string; n?: number; data?: unknown };
  if (message.type === "ready") {
    attempts = 0;
    useLiveState.setState({ connected: true });
    for (const topic of handlers.keys()) subscribe(topic);
    return;
  }
  if (message.topic === undefined) return;
  if (message.n !== undefined) seen.set(message.topic, message.n);
  if (message.type === "resync") for (const again of resync) again();
  if (message.type === undefined) for (const handler of handlers.get(message.topic) ?? []) handler(message.data);
}

function connect(): void {
  const { token } = useSession.getState();
  if (!token || socket) return;
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  const opened = new WebSocket(`${scheme}://${location.host}/ws`);
  socket = opened;
  opened.onopen = () => opened.send(JSON.stringify({ type: "auth", token: useSession.getState().token }));
  opened.onmessage = (event: MessageEvent<string>) => heard(event.data);
  opened.onclose = () => {
    socket = null;
    useLiveState.setState({ connected: false });
    if (useSession.getState().state !== "in") return;
    const wait = Math.min(500 * 2 ** attempts++, 15_000);
    setTimeout(connect, wait);
  };
}

/** Keep one connection open while somebody is signed in; `onResync` is called when messages were missed for good. */
export function useLiveConnection(onResync: () => void): void {
  const token = useSession((session) => session.token);
  const latest = useRef(onResync);
  latest.current = onResync;
  useEffect(() => {
    const again = () => latest.current();
    resync.add(again);
    if (token) connect();
    else socket?.close();
    return () => {
      resync.delete(again);
    };
  }, [token]);
}

/** Hear every message of a topic. */
export function useTopic(topic: string | null, handler: Handler): void {
  const latest = useRef(handler);
  latest.current = handler;
  useEffect(() => {
    if (!topic) return;
    const own: Handler = (data) => latest.current(data);
    const others = handlers.get(topic);
    if (others) others.add(own);
    else {
      handlers.set(topic, new Set([own]));
      subscribe(topic);
    }
    return () => {
      const left = handlers.get(topic);
      left?.delete(own);
      if (left?.size === 0) {
        handlers.delete(topic);
        seen.delete(topic);
        say({ type: "unsubscribe", topic });
      }
    };
  }, [topic]);
}
