// Verifies an event and a receipt with nothing but Node, from what PROTOCOL.md says; no code of ours.
// Input (stdin): {"device": jwk, "fund": jwk, "event": token, "receipt": token}. Output: what was read, or exit code 1.
import { createHash, createPublicKey, verify } from "node:crypto";
import { readFileSync } from "node:fs";

const sha256 = (text) => createHash("sha256").update(text, "utf8");

function open(token, jwk, typ) {
  const parts = token.split(".");
  if (parts.length !== 3) throw new Error("three parts");
  const [header, payload, signature] = parts.map((part) => {
    const bytes = Buffer.from(part, "base64url");
    if (bytes.toString("base64url") !== part) throw new Error("not canonical base64url");
    return bytes;
  });
  const read = JSON.parse(header.toString("utf8"));
  if (Object.keys(read).sort().join() !== "alg,kid,typ" || read.alg !== "ES256" || read.typ !== typ) throw new Error("header");
  const members = JSON.stringify({ crv: jwk.crv, kty: jwk.kty, x: jwk.x, y: jwk.y });
  if (read.kid !== sha256(members).digest("base64url")) throw new Error("kid");
  const key = createPublicKey({ key: jwk, format: "jwk" });
  const signed = Buffer.from(`${parts[0]}.${parts[1]}`, "ascii");
  if (!verify("sha256", signed, { key, dsaEncoding: "ieee-p1363" }, signature)) throw new Error("signature");
  const text = new TextDecoder("utf-8", { fatal: true }).decode(payload);
  return { payload: JSON.parse(text), digest: sha256(`${parts[0]}.${parts[1]}`).digest("hex") };
}

const input = JSON.parse(readFileSync(0, "utf8"));
try {
  const event = open(input.event, input.device, "visit+jws");
  const receipt = open(input.receipt, input.fund, "receipt+jws").payload;
  if (receipt.v !== 2 || receipt.device !== event.payload.device) throw new Error("receipt");
  if (receipt.offered !== sha256(event.digest).digest("hex")) throw new Error("another batch");
  if (receipt.results.reduce((sum, run) => sum + run[2], 0) !== 1) throw new Error("count");
  if (receipt.digest !== event.digest) throw new Error("another chain");
  process.stdout.write(JSON.stringify({ digest: event.digest, data: event.payload.data, result: receipt.results[0][0] }));
} catch (error) {
  process.stderr.write(`refused: ${error.message}`);
  process.exit(1);
}
