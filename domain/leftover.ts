/** Something on a database that bears the name which Steadyhand gives to what runs make. */
export interface TaggedObject {
  readonly database: string;
  readonly kind: 'slot' | 'publication' | 'subscription' | 'event trigger' | 'function' | 'schema' | 'side schema' | 'pooler alias';
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

/** Something at a provider that a run has made, or put its tags on. */
export interface OwnedObject {
  readonly kind: 'instance' | 'snapshot';
  readonly name: string;
  readonly region: string;
  /** The provider's name for this very one: databases that share a region show the same. */
  readonly identity: string;
  /** Its run's workflow id, or only the ULID where the name alone says it. */
  readonly run: string;
  /** The step that made it; null where no tag says so. */
  readonly step: string | null;
  /** As the provider calls its state. */
  readonly status: string;
  /** ISO 8601: since when it is there; null while it is being made. */
  readonly since: string | null;
  /** The day (`2026-11-28`) from which on it is meant to go; null for what is not an instance that a switch has left. */
  readonly removeAfter: string | null;
  /** What a person would run to remove it. */
  readonly byHand: string;
}

/** What a look at a database's provider found, in all regions of its entry, and why a part of it could not be looked at. */
export interface OwnedLook {
  readonly objects: readonly OwnedObject[];
  readonly unseen: readonly string[];
}

/** The workflow that takes back what a run has left after its end, under that run's own id. */
export interface ClearUp {
  /** The number of the event that records who asked for it, and why. */
  readonly asked: number;
}
