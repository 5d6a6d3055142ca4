/** Something on a database that bears the name which Steadyhand gives to what runs make. */
export interface TaggedObject {
  readonly database: string;
  readonly kind:
    | 'slot'
    | 'publication'
    | 'subscription'
    | 'event trigger'
    | 'function'
    | 'rows of the marker'
    | 'schema'
    | 'side schema'
    | 'pooler alias';
  readonly name: string;
  /** `steadyhand_<ulid>` of the run that made it; null where the name does not say. */
  readonly tag: string | null;
  /** What a person would run to remove it. */
  readonly byHand: string;
}

/** What a look at one database found, and why a part of it could not be looked at. */
export interface TaggedLook {
  readonly objects: readonly TaggedObject[];
  readonly unseen: readonly string[];
}

/** The workflow that takes back what a run has left after its end, under that run's own id. */
export interface ClearUp {
  /** The number of the event that records who asked for it, and why. */
  readonly asked: number;
}
