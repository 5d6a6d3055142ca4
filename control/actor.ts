/** Who did something: a person or a service by name, or the machinery (`steadyhand`, `temporal`). */
export interface Actor {
  readonly kind: 'person' | 'service' | 'system';
  readonly name: string;
  /** How it came: `cli`, `http`, `slack`, `engine`, `host`. */
  readonly channel: string;
}
