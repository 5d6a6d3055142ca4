/** A secret with its versions; the newest one is the last. */
export interface Secret {
  readonly name: string;
  readonly arn: string;
  readonly region: string;
  versions: { readonly id: string; readonly text: string; stages: string[]; readonly createdAt: string }[];
}
