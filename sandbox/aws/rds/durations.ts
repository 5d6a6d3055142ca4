/** How many seconds what takes at AWS, typically, for a small instance. */
export const seconds = {
  create: 300,
  backingUp: 60,
  restoreFromSnapshot: 300,
  restoreToPointInTime: 600,
  snapshot: 120,
  copyWithinRegion: 60,
  copyAcrossRegions: 600,
  modify: 180,
  /** For which a new password is pending, and nothing else tells of it. */
  passwordPending: 15,
  password: 15,
  storageOptimization: 300,
  multiAz: 600,
  rename: 180,
  upgrade: 600,
  reboot: 60,
  failover: 90,
  delete: 180,
  stop: 120,
  start: 240,
  /** How far the latest restorable time is behind, at the most. */
  heartbeat: 300,
  betweenBackups: 86_400,
  betweenMaintenance: 7 * 86_400,
} as const;
