// A bar chart of the signed-in page: requests per second and CPU time per request, side by side.

const ROW = 26;
const TOP = 56;
const NAMES_END = 232;
const BAR_WIDTH = 200;
const PANELS = [
  { column: 'requests/s', title: 'requests per second', x: 244 },
  { column: 'CPU µs/request', title: 'CPU µs per request', x: 524 },
];

/** @param {Record<string, string | number>[]} rows of `profile-page` */
export function chart(rows) {
  const height = TOP + rows.length * ROW + 16;
  const panels = PANELS.filter(({ column }) => column in rows[0]);
  const width = panels.length > 1 ? 800 : 520;
  const names = rows.map(({ '': name }, index) => text(NAMES_END, rowMiddle(index), name, 'end'));
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escaped(summary(rows))}">
<style>
  .paper { fill: #ffffff } text { fill: #1f2937; font: 13px system-ui, sans-serif }
  .title { font-weight: 600 } .bar { fill: #94a3b8 } .own { fill: #2563eb }
  @media (prefers-color-scheme: dark) {
    .paper { fill: #111827 } text { fill: #e5e7eb } .bar { fill: #64748b } .own { fill: #60a5fa }
  }
</style>
<rect class="paper" width="${width}" height="${height}" rx="8"/>
<text class="title" x="16" y="28">GET /profile, signed in</text>
${[...names, ...panels.map((panel) => bars(rows, panel))].join('\n')}
</svg>
`;
}

function bars(rows, { column, title, x }) {
  const most = Math.max(...rows.map((row) => Number(row[column])));
  const lines = rows.map((row, index) => {
    const width = (Number(row[column]) / most) * BAR_WIDTH;
    const style = String(row['']).startsWith('this app') ? 'bar own' : 'bar';
    const bar = `<rect class="${style}" x="${x}" y="${TOP + index * ROW + 4}" width="${width.toFixed(1)}" height="${ROW - 8}" rx="2"/>`;
    return bar + text(x + width + 6, rowMiddle(index), row[column]);
  });
  return [`<text class="title" x="${x}" y="${TOP - 6}">${title}</text>`, ...lines].join('\n');
}

const rowMiddle = (index) => TOP + index * ROW + ROW / 2 + 4;

const text = (x, y, content, anchor = 'start') =>
  `<text x="${x.toFixed(1)}" y="${y}" text-anchor="${anchor}">${escaped(String(content))}</text>`;

const summary = (rows) => rows.map((row) => `${row['']}: ${row['requests/s']} requests/s`).join('; ');

const escaped = (content) => content.replace(/[&<>"]/g, (letter) => `&#${letter.charCodeAt(0)};`);
