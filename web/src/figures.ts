// The 16 figures of an answer, in its order, and what the page has to know of each.

export interface Figure {
  label: string;
  // Figures of messages are narrowed by filters; those of knowledge-base files are always the whole organization's.
  subject: "messages" | "knowledge";
  // Sums of buckets or groups add up; distinct counts do not, because one user may be in several of them.
  additive: boolean;
  explanation: string;
}

export const figures = {
  conversationCount: {
    label: "Conversations", subject: "messages", additive: false, explanation: "Distinct conversations.",
  },
  messageCount: { label: "Messages", subject: "messages", additive: true, explanation: "Messages of every role." },
  toolCalls: { label: "Tool calls", subject: "messages", additive: true, explanation: "Tool invocations." },
  totalTokens: { label: "Total tokens", subject: "messages", additive: true, explanation: "Tokens of the messages." },
  inputTokens: { label: "Input tokens", subject: "messages", additive: true, explanation: "Tokens that went in." },
  outputTokens: { label: "Output tokens", subject: "messages", additive: true, explanation: "Tokens that came out." },
  uniqueUsers: {
    label: "Users", subject: "messages", additive: false, explanation: "Distinct users of the messages' conversations.",
  },
  uniqueAgents: { label: "Agents", subject: "messages", additive: false, explanation: "Distinct agents." },
  totalFeedback: { label: "Feedback", subject: "messages", additive: true, explanation: "Helpful and not helpful." },
  totalHelpful: { label: "Helpful", subject: "messages", additive: true, explanation: "Feedback that says so." },
  totalNotHelpful: { label: "Not helpful", subject: "messages", additive: true, explanation: "Feedback that says so." },
  kbFileCount: { label: "Files", subject: "knowledge", additive: true, explanation: "Processed files." },
  kbCount: { label: "Knowledge bases", subject: "knowledge", additive: false, explanation: "Distinct knowledge bases." },
  kbExtractTotalTokens: {
    label: "Extraction tokens", subject: "knowledge", additive: true, explanation: "Tokens of the files' extraction.",
  },
  kbExtractInputTokens: {
    label: "Extraction input", subject: "knowledge", additive: true, explanation: "Tokens that went in.",
  },
  kbExtractOutputTokens: {
    label: "Extraction output", subject: "knowledge", additive: true, explanation: "Tokens that came out.",
  },
} as const satisfies Record<string, Figure>;

export type FigureName = keyof typeof figures;
export type Stats = Record<FigureName, number>;

export const figureNames = Object.keys(figures) as FigureName[];

// Tiles show the figures of messages in this order: what people look for first comes first.
export const messageFigures: FigureName[] = [
  "messageCount", "conversationCount", "uniqueUsers", "uniqueAgents", "toolCalls", "totalTokens", "inputTokens",
  "outputTokens", "totalFeedback", "totalHelpful", "totalNotHelpful",
];

export const knowledgeFigures: FigureName[] = figureNames.filter((name) => figures[name].subject === "knowledge");

export function isFigure(name: string | null): name is FigureName {
  return name !== null && Object.hasOwn(figures, name);
}
