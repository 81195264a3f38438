/** Requests to our own server. Every failure is an {@link ApiError}; nothing else is thrown. */

import type { Problem } from "./payloads";

const TIMEOUT_MS = 15_000;

/** Why a request did not work. `status` is 0 when no answer came at all. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly title: string,
    readonly detail: string = "",
    /** Seconds until it makes sense to ask again, where the server says so. */
    readonly retryAfter: number | null = null,
  ) {
    super(title);
  }
}

/**
 * The JSON of a successful answer, or undefined where it has none. `headers` go out beside our own; `timeoutMs` is how
 * long the answer may take.
 */
export async function request<T>(
  method: "GET" | "POST" | "PUT" | "DELETE",
  path: string,
  body?: unknown,
  headers: Readonly<Record<string, string>> = {},
  timeoutMs = TIMEOUT_MS,
): Promise<T> {
  let response: Response;
  try {
    response = await fetch(path, {
      method,
      headers: {
        Accept: "application/json",
        ...(body === undefined ? {} : { "Content-Type": "application/json" }),
        ...headers,
      },
      credentials: "same-origin",
      cache: "no-store",
      signal: AbortSignal.timeout(timeoutMs),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  } catch (error) {
    throw new ApiError(0, error instanceof Error ? error.message : String(error));
  }
  if (!response.ok) throw await refusal(response);
  if (response.status === 204) return undefined as T;
  try {
    return (await response.json()) as T;
  } catch {
    throw new ApiError(response.status, "The answer is not JSON.");
  }
}

async function refusal(response: Response): Promise<ApiError> {
  let problem: Partial<Problem> = {};
  try {
    const body: unknown = await response.json();
    if (typeof body === "object" && body !== null) problem = body;
  } catch {
    // A proxy in between answers in its own way.
  }
  const title = typeof problem.title === "string" ? problem.title : response.statusText;
  const detail = typeof problem.detail === "string" ? problem.detail : "";
  return new ApiError(response.status, title, detail, retryAfter(response.headers.get("Retry-After")));
}

/** The seconds that a Retry-After header asks to wait: it may hold seconds or a date. */
export function retryAfter(header: string | null, now: number = Date.now()): number | null {
  if (header === null || header.trim() === "") return null;
  if (/^\d+$/.test(header.trim())) return Number(header);
  const date = Date.parse(header);
  return Number.isNaN(date) ? null : Math.max(0, Math.ceil((date - now) / 1000));
}
