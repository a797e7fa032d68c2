// A receipt is checked here, in the browser; nothing of it is sent. docs/formats/log.md has the rules.
const form = document.querySelector("#verify");
const words = JSON.parse(form.dataset.words);
const result = document.querySelector("#result");
const utf8 = (text) => new TextEncoder().encode(text);
const join = (...parts) => Uint8Array.from(parts.flatMap((part) => [...part]));
const from64 = (text) => Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
const to64 = (bytes) => btoa(String.fromCharCode(...bytes));
const fromUrl = (text) => from64(text.replaceAll("-", "+").replaceAll("_", "/"));
const toUrl = (bytes) => to64(bytes).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
const same = (one, other) => to64(one) === to64(other);
const sha256 = async (bytes) => new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));

class No extends Error {}
const need = (good, word) => {
  if (!good) throw new No(words[word]);
};

// One spelling: keys in order, no spaces.
const canonical = (value) =>
  value && typeof value === "object"
    ? `{${Object.keys(value).sort().map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`).join(",")}}`
    : JSON.stringify(value);

async function hmac(key, message) {
  const imported = await crypto.subtle.importKey("raw", key, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  return new Uint8Array(await crypto.subtle.sign("HMAC", imported, message));
}

function readProof(text) {
  const cut = text.indexOf("\n\n");
  const lines = text.slice(0, cut).split("\n");
  need(cut > 0 && lines.shift() === "c2sp.org/tlog-proof@v1" && lines[0]?.startsWith("extra "), "none");
  const extraText = new TextDecoder().decode(from64(lines.shift().slice(6)));
  const extra = JSON.parse(extraText);
  need(canonical(extra) === extraText, "none");
  const index = lines.shift().match(/^index (0|[1-9][0-9]{0,14})$/);
  need(index, "none");
  return { extra, index: Number(index[1]), hashes: lines.map(from64), note: text.slice(cut + 2) };
}

// The log's key signed the checkpoint: size and root.
async function openNote(note, vkey) {
  const parts = vkey.trim().match(/^([^+\s]+)\+([0-9a-f]{8})\+(\S+)$/);
  need(parts, "key");
  const [, name, id, encoded] = parts;
  const key = from64(encoded);
  const own = (await sha256(join(utf8(`${name}\n`), key))).slice(0, 4);
  need(key.length === 33 && key[0] === 1 && same(own, Uint8Array.from(id.match(/../g), (h) => parseInt(h, 16))), "key");
  const cut = note.lastIndexOf("\n\n") + 1;
  const body = note.slice(0, cut);
  const [origin, size, root] = body.split("\n");
  need(cut > 0 && origin === name && /^[1-9][0-9]*$/.test(size), "signed");
  const publicKey = await crypto.subtle.importKey("raw", key.slice(1), "Ed25519", false, ["verify"]);
  for (const line of note.slice(cut + 1).split("\n")) {
    const [dash, by, signature] = line.split(" ");
    if (dash !== "—" || by !== name) continue;
    const bytes = from64(signature);
    if (!same(bytes.slice(0, 4), own)) continue;
    need(await crypto.subtle.verify("Ed25519", publicKey, bytes.slice(4), utf8(body)), "signed");
    return { origin, size: Number(size), root: from64(root) };
  }
  throw new No(words.signed);
}

// RFC 9162, 2.1.3.2: from the leaf to the root.
async function included(leaf, index, size, hashes, root) {
  if (index >= size) return false;
  const pair = (left, right) => sha256(join([1], left, right));
  let hash = await sha256(join([0], leaf));
  let [at, last] = [index, size - 1];
  for (const other of hashes) {
    if (last === 0 || other.length !== 32) return false;
    if (at % 2 || at === last) {
      hash = await pair(other, hash);
      while (at % 2 === 0 && at) [at, last] = [at / 2, Math.floor(last / 2)];
    } else hash = await pair(hash, other);
    [at, last] = [Math.floor(at / 2), Math.floor(last / 2)];
  }
  return last === 0 && same(hash, root);
}

const FIELDS = ["affiliation", "country", "discipline", "email", "name", "role"];

// Every field has a commitment of its own, so that some can stay closed.
async function openFields(extra) {
  const [parts, shown, closed] = [{}, {}, []];
  const all = Object.keys(extra.salt ? extra.fields : { ...extra.opened, ...extra.closed });
  need(all.every((name) => FIELDS.includes(name)), "none");
  for (const name of FIELDS) {
    if (extra.closed?.[name]) {
      need(!extra.opened[name], "none");
      parts[name] = extra.closed[name];
      closed.push(name);
      continue;
    }
    const value = extra.salt ? extra.fields[name] ?? "" : extra.opened[name].value;
    const salt = extra.salt
      ? await hmac(fromUrl(extra.salt), utf8(`askfirst/salt/v1\0${name}`))
      : fromUrl(extra.opened[name].salt);
    parts[name] = toUrl(await hmac(salt, utf8(`askfirst/commit/v1\0${name}\0${value.normalize("NFC")}`)));
    if (value) shown[name] = value;
  }
  const commitment = toUrl(await sha256(utf8(`askfirst/commitment/v1\0${canonical(parts)}`)));
  return { commitment, shown, closed };
}

async function check(text, vkey) {
  const { extra, index, hashes, note } = readProof(text);
  const { commitment, shown, closed } = await openFields(extra);
  const entry = extra.correct
    ? { v: 1, type: "correct", of: extra.correct.of, hour: extra.correct.hour, commitment }
    : { v: 1, type: "sign", ...extra.sign, commitment };
  const { origin, size, root } = await openNote(note, vkey);
  need(await included(utf8(canonical(entry)), index, size, hashes, root), "entry");
  return { sign: extra.sign, correct: extra.correct, index, shown, closed, origin, size };
}

async function sameWords(sign) {
  const known = await fetch(`/statement.json?version=${sign.version}&slug=${encodeURIComponent(sign.statement)}`)
    .then((answer) => answer.json()).catch(() => null);
  const text = known?.statement === sign.statement && known.version === sign.version && known.texts[sign.lang];
  if (!text) return "";
  const digest = await sha256(utf8(canonical({ consent: text.consent, lang: sign.lang, text: text.text })));
  need(toUrl(digest) === sign.signed, "other");
  return text.text;
}

function show(good, title, rows) {
  const heading = document.createElement("h2");
  heading.textContent = (good ? "✓ " : "✗ ") + title;
  const list = document.createElement("dl");
  list.className = "d";
  for (const [name, value] of rows) {
    const [dt, dd] = [document.createElement("dt"), document.createElement("dd")];
    dt.textContent = name;
    dd.textContent = value;
    dd.dir = "auto";
    list.append(dt, dd);
  }
  result.dataset.good = good;
  result.replaceChildren(heading, list);
  result.scrollIntoView({ block: "center" });
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  try {
    const file = form.querySelector("#file").files[0];
    const text = (file ? await file.text() : form.querySelector("#text").value).replaceAll("\r\n", "\n");
    const found = await check(text.endsWith("\n") ? text : text + "\n", form.querySelector("#key").value);
    const sentence = await sameWords(found.sign);
    const rows = [[words.log, `${found.origin}, ${found.size}`], [words.position, found.index], [words.hour, found.sign.hour]];
    rows.push([words.statement, `${found.sign.statement}, ${found.sign.version}, ${found.sign.lang}`]);
    if (sentence) rows.push([words.sentence, sentence]);
    for (const [name, value] of Object.entries(found.shown)) rows.push([words[`f_${name}`], value]);
    if (found.correct) rows.push([words.corrected, `${found.correct.of}, ${found.correct.hour}`]);
    if (found.closed.length) rows.push([words.closed, found.closed.map((name) => words[`f_${name}`]).join(", ")]);
    show(true, words.good, rows);
  } catch (error) {
    const old = error.name === "NotSupportedError" || !crypto.subtle;
    show(false, words.bad, [[words.why, error instanceof No ? error.message : words[old ? "old" : "none"]]]);
  }
});
