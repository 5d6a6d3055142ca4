/** How a run ends before its last step: thrown by the engine's words, caught by `follow`. Never seen by a story. */
export class Ending extends Error {
  readonly how: 'go-back' | 'abort';
  constructor(how: Ending['how'], because: string) {
    super(because);
    this.how = how;
  }
}
