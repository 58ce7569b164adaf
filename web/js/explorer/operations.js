// Every operation that the explorer asks for, and which of them this server has.

import { call, hasKey, query, textOf } from "../api.js";

/** By name: method and path, as the server's API document has them. */
const OPERATIONS = {
  me: ["GET", "/users/me"],
  users: ["GET", "/admin/users"],
  projections: ["GET", "/calotype/projections"],
  rebuildProjection: ["POST", "/calotype/projections/{name}/rebuild"],
  projectionRebuild: ["GET", "/calotype/projections/{name}/rebuild"],
  changeRebuild: ["PUT", "/calotype/projections/{name}/rebuild"],
  discardRebuild: ["DELETE", "/calotype/projections/{name}/rebuild"],
  diffProjection: ["POST", "/calotype/projections/{name}/diff"],
  rollBackProjection: ["POST", "/calotype/projections/{name}/rollback"],
  parked: ["GET", "/calotype/parked"],
  retryParked: ["POST", "/calotype/parked/{streamId}/retry"],
  discardParked: ["DELETE", "/calotype/parked/{streamId}"],
  queues: ["GET", "/queues"],
  updateQueue: ["PUT", "/queues/{name}"],
  queueJobs: ["GET", "/queues/{name}/jobs"],
  emptyQueue: ["DELETE", "/queues/{name}/jobs"],
  commandQueue: ["PUT", "/jobs/{name}"],
  audit: ["GET", "/calotype/audit"],
  assetHistory: ["GET", "/calotype/assets/{id}/history"],
  albumHistory: ["GET", "/calotype/albums/{id}/history"],
  linkHistory: ["GET", "/calotype/links/{id}/history"],
  personHistory: ["GET", "/calotype/people/{id}/history"],
  userHistory: ["GET", "/calotype/users/{id}/history"],
  batchHistory: ["GET", "/calotype/batches/{id}/history"],
  heads: ["GET", "/calotype/proof/heads"],
  signHead: ["POST", "/calotype/proof/heads"],
  verifyLog: ["POST", "/calotype/proof/verify"],
  logKey: ["GET", "/calotype/proof/key"],
  eventProof: ["GET", "/calotype/proof/events/{eventId}"],
  headProof: ["GET", "/calotype/proof/consistency"],
  batches: ["GET", "/calotype/batches"],
  batchReceipt: ["GET", "/calotype/batches/{id}/receipt"],
  rollBackBatch: ["POST", "/calotype/batches/{id}/rollback"],
  models: ["GET", "/calotype/models"],
  modelTrials: ["GET", "/calotype/models/trials"],
  beginTrial: ["POST", "/calotype/models/trials"],
  cancelTrial: ["DELETE", "/calotype/models/trials/{id}"],
  compareModels: ["POST", "/calotype/models/diff"],
  switchModel: ["POST", "/calotype/models/switch"],
  reclustering: ["GET", "/calotype/people/reclustering"],
  beginReclustering: ["POST", "/calotype/people/reclustering"],
  applyReclustering: ["POST", "/calotype/people/reclustering/{id}/apply"],
  discardReclustering: ["DELETE", "/calotype/people/reclustering/{id}"],
  rollBackModel: ["POST", "/calotype/models/rollback"],
};
const PARAMETER = /\{(\w+)\}/g;

let served = new Set();

/** Reads in the API document what this server has. */
export async function learn() {
  const { paths } = await call("GET", "/openapi.json");
  const methods = ([path, item]) => Object.keys(item).map((method) => nameless(method.toUpperCase(), path));
  served = new Set(Object.entries(paths).flatMap(methods));
}

/** Whether this server has the operation. */
export const has = (operation) => served.has(nameless(...OPERATIONS[operation]));

/** Asks for an operation: `path` fills its parameters. Empty values of `search` are left out. */
export function ask(operation, path = {}, { search = {}, body, timeoutMs } = {}) {
  return call(OPERATIONS[operation][0], addressOf(operation, path, search), body, timeoutMs);
}

/** Lets the browser save what an operation answers; through a key by way of this page's memory. */
export async function save(operation, path, search, name) {
  const address = `/api${addressOf(operation, path, search)}`;
  if (!hasKey()) return saveFrom(address, name);
  return saveText(await textOf("GET", addressOf(operation, path, search)), name);
}

/** Lets the browser save a text, or JSON of anything else. */
export function saveText(content, name) {
  const text = typeof content === "string" ? content : `${JSON.stringify(content, null, 2)}\n`;
  const url = URL.createObjectURL(new Blob([text], { type: "application/octet-stream" }));
  saveFrom(url, name);
  URL.revokeObjectURL(url);
}

function saveFrom(url, name) {
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
}

function addressOf(operation, path, search) {
  const [, template] = OPERATIONS[operation];
  const filled = template.replace(PARAMETER, (_, name) => encodeURIComponent(path[name]));
  return filled + query(Object.entries(search).filter(([, value]) => value !== "" && value !== undefined && value !== null));
}

const nameless = (method, path) => `${method} ${path.replace(PARAMETER, "{}")}`;
