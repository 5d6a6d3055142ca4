/** AWS's defaults for one account in one region, under AWS's names; storage in GiB. */
export const defaultQuotas = { DBInstances: 40, AllocatedStorage: 100_000, ManualSnapshots: 100, DBParameterGroups: 50 };

export type Quotas = Readonly<Record<keyof typeof defaultQuotas, number>>;
