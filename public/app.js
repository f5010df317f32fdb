// Comfort: every page works without this file.

/** Shows times in the time zone of the reader, the way the reader writes them. */
function localTimes(root) {
  const { lang } = document.documentElement;
  const locale = navigator.languages.find((language) => language.split('-')[0] === lang) ?? lang;
  const format = new Intl.DateTimeFormat(locale, { dateStyle: 'long', timeStyle: 'short' });
  for (const time of root.querySelectorAll('time')) {
    time.title = time.textContent;
    time.textContent = format.format(new Date(time.dateTime));
  }
}

/** Fills a section with what the page it names says in its place: when its form is sent, and before it comes into view if it is empty. */
function fillInPlace(section) {
  const form = section.querySelector('form');
  const status = section.querySelector('[role=status]');
  const content = section.querySelector('[data-live-content]');
  const isEmpty = content.childElementCount === 0;
  const footer = document.querySelector('footer');
  const send = (method, address, use) => {
    const request = new XMLHttpRequest();
    request.responseType = 'document';
    request.onloadend = () => {
      // The login page says that the session is over, and leads back.
      if (request.status === 401) location.assign(section.dataset.ended);
      // The page of the refusal says more.
      else if (request.status === 403 && method === 'POST') form.submit();
      else use(request.status === 200, request.response);
    };
    request.open(method, address);
    if (method === 'POST') request.setRequestHeader('X-CSRF-Token', form.elements.csrfToken.value);
    request.send();
    status.textContent = section.dataset.waiting;
  };
  const show = (isDone, page) => {
    const found = isDone && page?.querySelector(`#${section.id} [data-live-content]`);
    status.textContent = found ? section.dataset.done : section.dataset.failed;
    if (isEmpty) footer.classList.remove('hidden');
    if (!found) return;
    content.replaceChildren(...document.adoptNode(found).childNodes);
    localTimes(content);
  };
  const load = () => send('GET', section.dataset.live, show);
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    if (form.method === 'get') load();
    else send('POST', form.action, (isDone) => (isDone ? load() : show(false)));
  });
  if (!isEmpty) return;
  // What is below the section must not jump into view and out again. On paper it stands where it is.
  footer.classList.add('hidden', 'print:block');
  const observer = new IntersectionObserver(
    (entries) => {
      if (!entries.some((entry) => entry.isIntersecting)) return;
      observer.disconnect();
      load();
    },
    { rootMargin: '600px' },
  );
  observer.observe(section);
}

/** A second click does not send a form again that is on its way. */
function sendOnce(form) {
  let isOnItsWay = false;
  const isBack = () => (isOnItsWay = false);
  form.addEventListener('submit', (event) => {
    if (isOnItsWay) return event.preventDefault();
    isOnItsWay = true;
    setTimeout(isBack, 5_000);
  });
  addEventListener('pageshow', isBack);
}

/** A server never sees the fragment of an address; the browser has kept it on the way to the login page. */
function carryFragment(element) {
  const { hash } = location;
  const withHash = (path) => (path.includes('#') || hash.length > MAX_FRAGMENT_LENGTH ? path : path + hash);
  if (element instanceof HTMLInputElement) element.value = withHash(element.value);
  else {
    const url = new URL(element.href);
    url.searchParams.set('callbackUrl', withHash(url.searchParams.get('callbackUrl')));
    element.href = url.href;
  }
}

const MAX_FRAGMENT_LENGTH = 400;

localTimes(document);
document.querySelectorAll('[data-with-fragment]').forEach(carryFragment);
document.querySelectorAll('form[method=post]:not([data-live] *)').forEach(sendOnce);
document.querySelectorAll('[data-live]').forEach(fillInPlace);
