import { Command } from 'commander';

/** A command that needs nothing but the API's address and a token. */
export function clientCommand(name: string, summary: string): Command {
  return new Command(name)
    .description(summary)
    .option('--api <url>', 'where the API is (default: STEADYHAND_API_URL, else http://127.0.0.1:8420)')
    .option('--as <file>', 'a file with the bearer token (default: STEADYHAND_TOKEN_FILE, else STEADYHAND_TOKEN)');
}

/** A command that works on this machine with the service's own configuration. */
export function hostCommand(name: string, summary: string): Command {
  return new Command(name)
    .description(`${summary} (host command)`)
    .addHelpText('after', "\nA host command: it needs the service's own configuration in the environment; docs/cli.md lists it.");
}
