/** What can go wrong with the programs that Steadyhand calls: a part of the table of failures. */
export const programFailures = {
  'tool-missing': {
    retryable: false,
    status: 422,
    meaning: 'A program that the step needs is missing or too old.',
    hint: 'Install the version that is named, or set its path in the configuration.',
  },
  'tool-failed': {
    retryable: false,
    status: 502,
    meaning: 'A program that the step called ended with an error.',
    hint: 'Read its last lines in the message.',
  },
  'cache-unusable': {
    retryable: false,
    status: 500,
    meaning: 'The folder in which the sandbox keeps its programs cannot be used.',
    hint: 'Correct what the message names, or set STEADYHAND_CACHE to another folder that this user may write and, as root, the user postgres may enter.',
  },
} as const;
