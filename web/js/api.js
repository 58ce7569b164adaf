// The server's REST API: one function per operation that the first page uses; the explorer has a table of its own.
// Refusals become ApiError with the server's own message; a 401 is announced once to `onSignedOut`.

const TIMEOUT_MS = 30_000;

let signedOut = () => {};
let apiKey = "";

/** Sets what happens when the server no longer knows the session. */
export function onSignedOut(listener) {
  signedOut = listener;
}

/** Speaks as the holder of an API key from now on, and as the session of the cookie with none. */
export function useKey(key) {
  apiKey = key;
}

/** Whether a key speaks, and not the session. */
export const hasKey = () => apiKey !== "";

/** A refusal or a lost connection. `status` is 0 when no answer came. */
export class ApiError extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/** The sentence to show for an error body `{message, errors?: [{path, message}]}`. */
export function messageOf(status, body) {
  const first = body?.errors?.[0];
  if (first?.message) {
    const path = Array.isArray(first.path) ? first.path.join(".") : "";
    return path ? `${path}: ${first.message}` : first.message;
  }
  if (Array.isArray(body?.message)) return body.message.join(", ");
  return body?.message || `The server answered ${status}.`;
}

/** Asks the server and gives its answer as it was parsed. What may last is given a longer `timeoutMs`. */
export async function call(method, path, body, timeoutMs = TIMEOUT_MS) {
  return parsed(await textOf(method, path, body, timeoutMs));
}

/** Asks the server and gives the text of its answer. */
export async function textOf(method, path, body, timeoutMs = TIMEOUT_MS) {
  const headers = { Accept: "application/json" };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (apiKey) headers["x-api-key"] = apiKey;
  let response;
  try {
    response = await fetch(`/api${path}`, {
      method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
      cache: "no-cache",
      credentials: apiKey ? "omit" : "same-origin",
      signal: AbortSignal.timeout(timeoutMs),
    });
  } catch (error) {
    throw new ApiError(0, error.name === "TimeoutError" ? "The server took too long to answer." : "The server cannot be reached.");
  }
  const text = await response.text();
  if (response.ok) return text;
  if (response.status === 401 && path !== "/auth/login") signedOut();
  throw new ApiError(response.status, messageOf(response.status, refusalOf(text)));
}

function parsed(text) {
  try {
    return text ? JSON.parse(text) : null;
  } catch {
    throw new ApiError(200, "The server answered something unreadable.");
  }
}

function refusalOf(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** A query with its question mark, or nothing. */
export const query = (parameters) => {
  const text = new URLSearchParams(parameters).toString();
  return text ? `?${text}` : "";
};

export const serverConfig = () => call("GET", "/server/config");
export const signUp = (email, password, name) => call("POST", "/auth/admin-sign-up", { email, password, name });
export const logIn = (email, password) => call("POST", "/auth/login", { email, password });
export const logOut = () => call("POST", "/auth/logout");
export const me = () => call("GET", "/users/me");

export const buckets = (filter) => call("GET", `/timeline/buckets${query(filter)}`);
export const bucket = (filter, timeBucket) => call("GET", `/timeline/bucket${query({ ...filter, timeBucket })}`);

export const asset = (id) => call("GET", `/assets/${id}`);
export const history = (id) => call("GET", `/calotype/assets/${id}/history`);
export const setFavorite = (id, isFavorite) => call("PUT", `/assets/${id}`, { isFavorite });
export const trash = (ids) => call("DELETE", "/assets", { ids });
export const restore = (ids) => call("POST", "/trash/restore/assets", { ids });

const bust = (thumbhash) => (thumbhash ? `c=${encodeURIComponent(thumbhash)}` : "");
export const thumbnailUrl = (id, thumbhash) => `/api/assets/${id}/thumbnail?${bust(thumbhash)}`;
export const personThumbnailUrl = (id) => `/api/people/${id}/thumbnail`;
export const previewUrl = (id, thumbhash) => `/api/assets/${id}/thumbnail?size=preview&${bust(thumbhash)}`;
export const playbackUrl = (id) => `/api/assets/${id}/video/playback`;
export const originalUrl = (id) => `/api/assets/${id}/original`;
