// {% load static %}The tower's worker: an offline page, and messages. It keeps no page that shows anything of anybody.
const VERSION = "{{ version }}";
const SHELL = JSON.parse("{{ shell|escapejs }}");
const OFFLINE = "{% url 'notifications:offline' %}";

addEventListener("install", (event) => {
  event.waitUntil(caches.open(VERSION).then((cache) => cache.addAll(SHELL)).then(() => skipWaiting()));
});

addEventListener("activate", (event) => {
  const old = (names) => Promise.all(names.filter((name) => name !== VERSION).map((name) => caches.delete(name)));
  event.waitUntil(caches.keys().then(old).then(() => clients.claim()));
});

addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET" || new URL(request.url).origin !== location.origin) return;
  if (request.mode === "navigate") {
    event.respondWith(fetch(request).catch(() => caches.match(OFFLINE)));
  } else if (SHELL.includes(new URL(request.url).pathname)) {
    event.respondWith(fetch(request).catch(() => caches.match(request)));
  }
});

addEventListener("push", (event) => {
  const told = event.data?.json() ?? {};
  const shown = registration.showNotification(told.title ?? "Control Tower", {
    body: told.body ?? "", tag: told.tag, icon: "{% static 'img/app-192.png' %}", badge: "{% static 'img/badge.png' %}",
    data: { path: told.path ?? "/" },
  });
  const count = Number.isInteger(told.waiting) && navigator.setAppBadge ? navigator.setAppBadge(told.waiting) : null;
  event.waitUntil(Promise.all([shown, count]));
});

addEventListener("notificationclick", (event) => {
  event.notification.close();
  const target = new URL(event.notification.data.path, location.origin);
  // Only to a page of this tower, whatever a message says.
  const href = target.origin === location.origin ? target.href : location.origin;
  event.waitUntil(
    clients.matchAll({ type: "window" }).then((open) => {
      const there = open.find((client) => client.url === href) ?? open[0];
      if (!there) return clients.openWindow(href);
      return there.focus().then((client) => (client.url === href ? client : client.navigate(href)));
    }),
  );
});
