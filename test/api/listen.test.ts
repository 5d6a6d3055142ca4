import { expect, test } from 'vitest';
import { listen } from '../../api/listen.ts';
import { createLogger } from '../../api/logger.ts';
import { apiPlace } from './place.ts';

const place = apiPlace();

test('an address that is taken is told as what to configure, not as a defect', async () => {
  const api = await place.begin();
  const port = Number(new URL(await api.app.listen({ port: 0, host: '127.0.0.1' })).port);
  await expect(listen(api.parts, { host: '127.0.0.1', port }, createLogger('silent'))).rejects.toMatchObject({
    code: 'configuration-invalid',
    message: expect.stringMatching(new RegExp(`127.0.0.1:${port} .*EADDRINUSE.*STEADYHAND_API_PORT`)),
  });
});
