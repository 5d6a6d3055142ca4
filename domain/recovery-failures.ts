/** What bringing back a restored copy can end in: a part of `failureKinds`. */
export const recoveryFailures = {
  'reference-missing': {
    retryable: false,
    status: 409,
    meaning: 'Rows that would come back refer to rows that are not there.',
    hint: 'Bring back what they refer to as well, or leave these rows out by a condition, and ask for a new plan. Nothing came back.',
  },
  'verification-failed': {
    retryable: false,
    status: 409,
    meaning: 'The restored copy is not what it should be.',
    hint: 'Read what was found. Restore another moment or another backup, or go on knowing it; nothing uses the copy yet.',
  },
} as const;
