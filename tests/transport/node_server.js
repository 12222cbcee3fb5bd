// The same paths as asgi_app.py, on Node's own HTTP server. Prints its port; ends with its standard input.
"use strict";
const fs = require("fs");
const zlib = require("zlib");

const large = Buffer.alloc(1_000_000, "0123456789");
const [, , certificate, key] = process.argv;

function answer(request, response) {
  const path = request.url.split("?")[0];
  const pieces = [];
  request.on("data", (piece) => pieces.push(piece));
  request.on("end", () => {
    const body = Buffer.concat(pieces);
    if (path === "/json") {
      const text = JSON.stringify({ hello: "world" });
      response.writeHead(200, { "content-type": "application/json", "content-length": text.length });
      response.end(text);
    } else if (path === "/large") {
      response.writeHead(200, { "content-length": large.length });
      response.end(large);
    } else if (path === "/chunked") {
      response.writeHead(200, { "content-type": "text/event-stream" });
      let left = 5;
      const timer = setInterval(() => {
        response.write(`data: ${left}\n\n`);
        left -= 1;
        if (left === 0) {
          clearInterval(timer);
          response.end();
        }
      }, 5);
    } else if (path === "/gzip") {
      response.writeHead(200, { "content-encoding": "gzip" });
      response.end(zlib.gzipSync(large));
    } else if (path === "/close-delimited") {
      response.useChunkedEncodingByDefault = false;
      response.shouldKeepAlive = false;
      response.removeHeader("transfer-encoding");
      response.writeHead(200, { connection: "close" });
      response.write("no length");
      response.end(" at all");
    } else if (path === "/early-hints") {
      response.writeEarlyHints({ link: "</style.css>; rel=preload" });
      response.end("after the hints");
    } else if (path === "/empty") {
      response.writeHead(204);
      response.end();
    } else if (path === "/redirect") {
      response.writeHead(302, { location: "/json", "content-length": 0 });
      response.end();
    } else if (path === "/length") {
      response.end(String(body.length));
    } else {
      response.writeHead(404, { "content-length": 7 });
      response.end("missing");
    }
  });
}

const server =
  certificate === undefined
    ? require("http").createServer(answer)
    : require("https").createServer({ cert: fs.readFileSync(certificate), key: fs.readFileSync(key) }, answer);
server.listen(Number(process.env.PORT), "127.0.0.1");
