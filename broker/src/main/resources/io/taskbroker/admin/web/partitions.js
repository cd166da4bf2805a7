// This broker, and the partitions that it reads.
import { get } from './api.js';
import { badge, empty, facts, h, notice, section, table } from './dom.js';
import { count, shortTime, time } from './format.js';
import { texts } from './texts.js';

const t = texts.brokers;

export async function show({ signal }) {
  const [{ broker, partitions }, fleet] = await Promise.all([
    get('/v1/overview', signal),
    get('/v1/brokers', signal),
  ]);
  return [
    section(t.fleet, brokers(fleet)),
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

function brokers({ brokers: all, unowned }) {
  const list = (partitions) => partitions.map((it) => `${it.topic}:${it.partition}`).join(', ');
  return [
    unowned.length > 0 && notice('bad', h('p', {}, t.unowned), h('p', {}, list(unowned))),
    table(
      t.fleet,
      [
        { head: t.name, cell: (it) => it.name },
        { head: t.state, cell: (it) => badge(it.alive ? 'good' : 'plain', it.alive ? t.alive : t.gone) },
        { head: t.version, cell: (it) => it.version ?? '' },
        { head: t.seen, wide: true, cell: (it) => shortTime(it.last_seen) },
        { head: t.owned, cell: (it) => list(it.partitions) },
      ],
      all,
    ),
  ];
}
