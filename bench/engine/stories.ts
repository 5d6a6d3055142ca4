/** The workflows of the bench: runs of the engine, and next to each what plain Temporal would do. */
export * from './engine-stories.ts';
export * from './bare-stories.ts';
