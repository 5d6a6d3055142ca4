/** All workflows that tests run: the product's, and the rehearsal that tries the engine's words. */
export * from '../../workflows/index.ts';
export { rehearsal } from './rehearsal-story.ts';
