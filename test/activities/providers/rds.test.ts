import { providerSuite } from '../../contracts/provider.ts';
import { startRds } from '../../support/providers/rds.ts';

providerSuite('rds', startRds, ['backup', 'restore', 'copy', 'remove', 'swap', 'settings', 'storage', 'owned', 'logs']);
