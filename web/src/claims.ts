// What a token says of its caller. The page reads it only to show what makes sense: the service alone decides.

export interface Claims {
  user: string;
  organization: string; // its slug, if the token has one, else its id
  isAdmin: boolean;
  expires: number; // in milliseconds since 1970; Infinity: the token does not say
}

const nobody: Claims = { user: "", organization: "", isAdmin: false, expires: Infinity };

// claimsOf reads Clerk's session tokens of both versions. What is no token says nothing.
export function claimsOf(token: string): Claims {
  const claims = decode(token.split(".")[1] ?? "");
  if (!claims) {
    return nobody;
  }
  const isNew = claims["v"] === 2;
  const o = (isNew ? claims["o"] : undefined) as Record<string, unknown> | undefined;
  const role = isNew ? "org:" + text(o?.["rol"]) : text(claims["org_role"]);
  return {
    user: text(claims["sub"]),
    organization: text(o?.["slg"] ?? o?.["id"] ?? claims["org_slug"] ?? claims["org_id"]),
    isAdmin: role === "org:admin",
    expires: typeof claims["exp"] === "number" ? claims["exp"] * 1000 : Infinity,
  };
}

const text = (value: unknown): string => (typeof value === "string" ? value : "");

function decode(part: string): Record<string, unknown> | undefined {
  try {
    const bytes = Uint8Array.from(atob(part.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes));
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
