// This broker, and the partitions that it reads.
import { get } from './api.js';
import { badge, empty, facts, h, section, table } from './dom.js';
import { count, time } from './format.js';
import { texts } from './texts.js';

const t = texts.brokers;

export async function show({ signal }) {
  const { broker, partitions } = await get('/v1/overview', signal);
  return [
    section(
      t.this,
      facts([
        [broker.name, badge(broker.ready ? 'good' : 'bad', broker.ready ? texts.overview.ready : texts.overview.notReady)],
        [t.started, time(broker.started_at)],
        [t.version, broker.version],
        [t.commit, h('code', {}, broker.commit)],
        [t.mode, broker.delivery_mode],
      ]),
    ),
    section(
      t.partitions,
      partitions.length === 0
        ? empty(t.empty)
        : table(
            t.partitions,
            [
              { head: t.topic, cell: (it) => it.topic },
              { head: t.partition, number: true, cell: (it) => it.partition },
              { head: t.lag, number: true, cell: (it) => count(it.lag) },
            ],
            partitions,
          ),
    ),
  ];
}
