// SPDX-License-Identifier: MPL-2.0
//
// Starts the API page. In a file of its own, since the page's policy allows no script inside HTML;
// without the standalone preset, whose top bar and validator badge would call other hosts.
"use strict";

window.addEventListener("load", function () {
  window.SwaggerUIBundle({
    url: "/openapi.json",
    dom_id: "#api",
    deepLinking: true,
    validatorUrl: null,
    presets: [window.SwaggerUIBundle.presets.apis],
  });
});
