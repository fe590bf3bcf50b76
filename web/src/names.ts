// What rows of breakdowns are called, and what a row filters by.

import type { Filter, Group } from "./view";

const withoutValue: Record<Group, string> = {
  agent: "Without an agent", user: "Without a user", role: "Without a role", metadata: "Without this key",
  knowledgeBase: "Without a knowledge base",
};

export function rowName(group: Group, value: string | null): string {
  return value === null ? withoutValue[group] : value || "(empty)";
}

// filterOf returns the filter that lets a row's messages through, undefined where the service has none.
export function filterOf(group: Group, value: string | null, key: string): Filter | undefined {
  if (!value) {
    return undefined;
  }
  switch (group) {
    case "agent": return { agentId: value };
    case "user": return { userId: value };
    case "metadata": return { metadataKey: key, metadataValue: value };
    default: return undefined;
  }
}
