import { generateAst, printAst } from 'oazapfts';
import { createContext } from 'oazapfts/context';

/** The API's client in TypeScript: types and a function for each operation, from the OpenAPI document. */
export async function clientText(openapi: string): Promise<string> {
  // The document is ours; its own test says that it is one.
  const document = JSON.parse(openapi) as Parameters<typeof createContext>[0];
  return printAst(await generateAst(createContext(document, { useUnknown: true })));
}
