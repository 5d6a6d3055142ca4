import { providerSuite } from '../../contracts/provider.ts';
import { startStreaming } from '../../support/providers/streaming.ts';

providerSuite('streaming', startStreaming, []);
