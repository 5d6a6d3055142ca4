// `node deploy/ready.ts <address>`: ends with 0 when the address answers well within 4 s. The image has no curl.
const [address] = process.argv.slice(2);
if (address === undefined) throw new Error('usage: node deploy/ready.ts <address>');

const answer = await fetch(address, { signal: AbortSignal.timeout(4_000) });
console.log(`${answer.status} ${await answer.text()}`);
process.exitCode = answer.ok ? 0 : 1;
