import { escapeHtml } from '../../http/answers.js';

const style = `
:root { color-scheme: light dark; --ground: #f4f4f1; --sheet: #fff; --ink: #1d1f22; --soft: #5c6066; --line: #d9d9d4;
  --accent: #1f5fbf; --on-accent: #fff; --warn: #9b1c1c; --hover: #f0f4fb; }
@media (prefers-color-scheme: dark) { :root { --ground: #15171a; --sheet: #1e2125; --ink: #eceef0; --soft: #a3a9b1;
  --line: #383d44; --accent: #8ab4f8; --on-accent: #10131a; --warn: #ff9c9c; --hover: #272c34; } }
* { box-sizing: border-box; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 1.5rem 1rem; background: var(--ground);
  color: var(--ink); font: 1rem/1.5 system-ui, sans-serif; }
main { width: 100%; max-width: 28rem; background: var(--sheet); border: 1px solid var(--line); border-radius: .75rem;
  padding: 1.75rem 1.5rem; }
.mark { margin: 0 0 1.25rem; font-size: .875rem; color: var(--soft); }
.mark b { color: var(--ink); }
h1 { margin: 0 0 .25rem; font-size: 1.375rem; line-height: 1.25; }
h2 { margin: 1.75rem 0 .5rem; font-size: 1rem; }
p { margin: 0 0 1rem; color: var(--soft); }
.people { display: grid; gap: .5rem; margin-top: 1.25rem; }
button, input { font: inherit; color: inherit; }
button { cursor: pointer; border-radius: .5rem; }
.person { display: block; width: 100%; text-align: left; padding: .75rem 1rem; background: none;
  border: 1px solid var(--line); overflow-wrap: anywhere; }
.person:hover { background: var(--hover); border-color: var(--accent); }
.person strong, .person span { display: block; }
.person span { font-size: .875rem; color: var(--soft); }
.person .name { color: var(--accent); }
button:focus-visible, input:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
label { display: block; margin: .75rem 0 .25rem; font-size: .875rem; }
input { width: 100%; padding: .5rem .75rem; background: var(--sheet); border: 1px solid var(--soft); border-radius: .5rem; }
.actions { display: flex; gap: .5rem; margin-top: 1rem; }
.main { padding: .5rem 1rem; border: 1px solid var(--accent); background: var(--accent); color: var(--on-accent); }
.plain { padding: .5rem 1rem; border: 1px solid var(--line); background: none; }
.error { margin-top: .75rem; color: var(--warn); border-left: 3px solid var(--warn); padding-left: .75rem; }
code { overflow-wrap: anywhere; font-size: .9375em; }
.person span + span::first-letter { text-transform: uppercase; }
ul { margin: .75rem 0 0; padding-left: 1.25rem; }
li { margin-top: .5rem; overflow-wrap: anywhere; }
a { color: var(--accent); }
`;

/** A page of the login UI. `content` is HTML. What Zitadel does not have is in sections; `title` may be empty, as on some of its pages. */
export function page(title: string, content: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title === '' ? 'Sandbox' : `${title} – Sandbox`)}</title>
<style>${style}</style>
</head>
<body>
<main>
<section><p class="mark"><b>Sandbox – not Zitadel.</b> A local OpenID provider for development and tests.</p></section>
${title === '' ? '' : `<h1>${escapeHtml(title)}</h1>`}
${content}
</main>
</body>
</html>
`;
}

/** The page with the error before its buttons, as in Zitadel. */
export function withError(content: string, error: string | undefined): string {
  if (error === undefined) return content;
  const message = `<p class="error" role="alert">${escapeHtml(error)}</p>\n`;
  const at = Math.max(content.indexOf('<div class="actions">'), 0);
  return content.slice(0, at) + message + content.slice(at);
}

/** A page with a message. */
export function messagePage(title: string, message: string): string {
  return page(title, `<p>${escapeHtml(message)}</p>`);
}
