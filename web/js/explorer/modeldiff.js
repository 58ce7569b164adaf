// What a model that was tried would change: numbers, and photos by their thumbnails where these may be seen.

import { hasKey, personThumbnailUrl, thumbnailUrl } from "../api.js";
import { el } from "../dom.js";
import * as format from "../format.js";
import { stream } from "./words.js";

const PHOTOS_SHOWN_MAX = 12;
const PEOPLE_SHOWN_MAX = 20;
const FACES_SHOWN_MAX = 40;

/** Draws the comparison into its place. */
export function drawDiff(host, { used, tried, missing, searches, faces, texts }) {
  host.hidden = false;
  host.replaceChildren(
    el("h3", { text: `${tried.name} in place of ${used.name}` }),
    missing > 0 ? el("p", { class: "warn", text: `It has said nothing of ${format.plural(missing, "photo", "photos")} yet.` }) : "",
    searches ? drawSearches(searches) : "",
    faces ? drawFaces(faces) : "",
    texts ? drawTexts(texts) : "");
}

function drawSearches(searches) {
  if (searches.length === 0) return el("p", { class: "quiet", text: "No search finds anything with either." });
  const lines = searches.map(({ words, kept, entered, left }) => el("li", {},
    el("strong", { text: `“${words}”` }), `: ${format.count(kept)} of the first twenty stay, ${format.count(entered.length)} come, ${format.count(left.length)} go`,
    drawPhotos("Come", entered), drawPhotos("Go", left)));
  return el("ol", { class: "findings", "aria-label": "Searches" }, ...lines);
}

/** What would change of faces and people. */
export function drawFaces(faces) {
  const people = faces.people.slice(0, PEOPLE_SHOWN_MAX).map((person) => el("li", {},
    drawPortrait(person.id), stream(`person-${person.id}`), person.isNamed ? " (named)" : "", `: loses ${format.plural(person.lost, "photo", "photos")}, gains ${format.count(person.gained)}`,
    drawPhotos("Lost", person.lostAssetIds), drawPhotos("Gained", person.gainedAssetIds)));
  return el("div", {},
    drawNumbers([
      ["Faces compared", faces.compared], ["Would be somebody else’s", faces.moved], ["Nobody’s that would be somebody’s", faces.joined],
      ["Somebody’s that would be nobody’s", faces.left], ["Not found any more", faces.gone], ["Found anew", faces.found],
      ["New people", faces.newPeople], ["People without a face", faces.vanishedPersonIds.length],
    ]),
    people.length > 0 ? el("h4", { text: "People who lose or gain photos" }) : null,
    people.length > 0 ? el("ol", { class: "findings", "aria-label": "People who lose or gain photos" }, ...people) : null,
    faces.vanishedPersonIds.length > 0 ? drawVanished(faces.vanishedPersonIds) : null,
    faces.faces.length > 0 ? drawMoves(faces.faces) : null);
}

function drawVanished(ids) {
  const people = ids.slice(0, PEOPLE_SHOWN_MAX).map((id) => el("li", {}, drawPortrait(id), stream(`person-${id}`)));
  return el("div", {}, el("h4", { text: "People who would have no face any more" }),
    el("ol", { class: "findings", "aria-label": "People who would have no face any more" }, ...people));
}

/** Faces that change person: the photo, whose the face is, and whose it would be. */
function drawMoves(faces) {
  const lines = faces.slice(0, FACES_SHOWN_MAX).map((face) => el("li", {},
    drawPhotos("Face on", [face.assetId]),
    ...whose(face.isNew ? "not found before" : "nobody’s", face.beforePersonId), " → ",
    ...(face.newPerson === null ? whose(face.isFound ? "nobody’s" : "not found any more", face.afterPersonId) : [`a new person (${format.count(face.newPerson)})`])));
  const more = faces.length > FACES_SHOWN_MAX ? el("p", { class: "quiet", text: `And ${format.count(faces.length - FACES_SHOWN_MAX)} more.` }) : null;
  return el("div", {}, el("h4", { text: "Faces that change person" }),
    el("ol", { class: "findings", "aria-label": "Faces that change person" }, ...lines), more);
}

const whose = (otherwise, personId) => (personId === null ? [otherwise] : [drawPortrait(personId), stream(`person-${personId}`)]);

/** The picture of a person, where it may be seen by who looks. */
function drawPortrait(id) {
  if (hasKey()) return "";
  const picture = el("img", { class: "portrait", alt: "", loading: "lazy", width: 32, height: 32, src: personThumbnailUrl(id), on: { error: () => picture.remove() } });
  return picture;
}

function drawTexts(texts) {
  return el("div", {},
    drawNumbers([["Photos compared", texts.compared], ["Other words", texts.changed], ["Words where there were none", texts.appeared], ["No words any more", texts.vanished]]),
    drawPhotos("Some that differ", texts.assetIds));
}

function drawNumbers(facts) {
  return el("dl", {}, ...facts.map(([name, number]) => el("div", {}, el("dt", { text: name }), el("dd", { text: format.count(number) }))));
}

/** Photos in a line, each leading to its history. What may not be seen by who looks is told by its id. */
function drawPhotos(label, ids) {
  if (ids.length === 0) return null;
  const photos = ids.slice(0, PHOTOS_SHOWN_MAX).map((id) => {
    const link = el("a", { href: `#history/asset/${id}`, "aria-label": `History of photo ${id}` });
    const bare = () => link.replaceChildren(el("code", { text: id.slice(0, 8) }));
    if (hasKey()) bare();
    else link.append(el("img", { alt: "", loading: "lazy", width: 64, height: 64, src: thumbnailUrl(id, ""), on: { error: bare } }));
    return el("li", {}, link);
  });
  const more = ids.length > PHOTOS_SHOWN_MAX ? ` (${format.count(ids.length)})` : "";
  return el("div", { class: "photos" }, el("span", { class: "quiet", text: label + more }), el("ul", { "aria-label": label }, ...photos));
}
