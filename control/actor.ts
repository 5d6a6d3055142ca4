/** Who did something: a person by name, or the machinery (`steadyhand`, `temporal`). */
export interface Actor {
  readonly kind: 'person' | 'system';
  readonly name: string;
  /** How it came: `cli`, `http`, `slack`, `engine`, `host`. */
  readonly channel: string;
}
