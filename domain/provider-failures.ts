/** What providers say that no server of PostgreSQL's does: a part of `failureKinds`. */
export const providerFailures = {
  'provider-busy': {
    retryable: true,
    status: 503,
    meaning: 'The provider cannot do it at the moment: too many calls, an error of its own, or no machine is free.',
    hint: 'Nothing to do at first; it is tried again. If it stays so, look at the status page of the provider.',
  },
  'provider-refused': {
    retryable: false,
    status: 502,
    meaning: 'The provider refused a call, or what it was asked for ended in a state that does not mend itself.',
    hint: 'Read the code and the words of the provider; correct what they name, then retry or roll back.',
  },
  'quota-exceeded': {
    retryable: false,
    status: 409,
    meaning: 'The provider’s account may have no more of this.',
    hint: 'Remove what nobody needs, or ask the provider for a higher quota, then retry.',
  },
} as const;
