/** What the service itself needs and does not have: a part of `failureKinds`. */
export const serviceFailures = {
  'temporal-unavailable': {
    retryable: true,
    status: 503,
    meaning: 'The Temporal server does not answer.',
    hint: 'Nothing was started. Try again; `steadyhand plan --offline` prints what to do by hand.',
  },
  'search-attributes-missing': {
    retryable: true,
    status: 503,
    meaning: 'The namespace of Temporal lacks search attributes that every run needs.',
    hint: 'Run the command of the message. Nothing was started; ask again afterwards.',
  },
  'control-database-unavailable': {
    retryable: true,
    status: 503,
    meaning: 'The control database does not answer, so nothing can be recorded and no change begins.',
    hint: 'Bring the control database back. Runs go on by themselves.',
  },
  'query-too-slow': {
    retryable: true,
    status: 503,
    meaning: 'The control database did not finish a query within its time limit.',
    hint: 'Ask for less: one run, one kind, a shorter time, a smaller page. When it persists, look at the load of the control database.',
  },
  'schema-outdated': {
    retryable: true,
    status: 503,
    meaning: 'The control database has an older schema than this program needs.',
    hint: 'Run `steadyhand migrate` of this version as the owner of the control database.',
  },
} as const;
