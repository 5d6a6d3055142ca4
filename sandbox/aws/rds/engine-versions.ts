import type { Call } from '../place.ts';
import { list, type Xml } from '../xml.ts';

export function describeDBEngineVersions({ place, query }: Call): Xml {
  const [engine, version, family] = [query.text('Engine'), query.text('EngineVersion'), query.text('DBParameterGroupFamily')];
  const found = place.engines.filter(
    (one) =>
      (engine === undefined || engine === 'postgres') &&
      (version === undefined || one.version === version || one.major === version) &&
      (family === undefined || family === `postgres${one.major}`),
  );
  return {
    DBEngineVersions: list(
      'DBEngineVersion',
      found.map((one) => ({
        Engine: 'postgres',
        EngineVersion: one.version,
        MajorEngineVersion: one.major,
        DBParameterGroupFamily: `postgres${one.major}`,
        DBEngineDescription: 'PostgreSQL',
        DBEngineVersionDescription: `PostgreSQL ${one.version}`,
        ValidUpgradeTarget: list('UpgradeTarget', []),
        SupportsReadReplica: true,
        Status: 'available',
      })),
    ),
  };
}
