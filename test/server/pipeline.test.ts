import { once } from "node:events";
import { describe, expect, it, vi } from "vitest";
import { createInbox, receive, sendRaw, serve } from "./harness.ts";

const get = (path: string): string => `GET ${path} HTTP/1.1\r\nhost: a\r\n\r\n`;
const post = (path: string, body: string): string =>
  `POST ${path} HTTP/1.1\r\nhost: a\r\ncontent-length: ${body.length}\r\n\r\n${body}`;

describe("requests that come behind one in flight, on HTTP/1.1", () => {
  it("are handled one after the other, bodies included", async () => {
    const handled: (string | undefined)[] = [];
    const inbox = createInbox();
    const server = await serve((request, response) => {
      handled.push(request.url);
      inbox.handler(request, response);
    });
    const client = await sendRaw(server, `${get("/1")}${post("/2", "two")}${get("/3")}`);
    const first = await inbox.next();
    first.response.write("first");
    await receive(client, "first");
    expect(handled).toEqual(["/1"]);
    first.response.end();
    const second = await inbox.next();
    expect(handled).toEqual(["/1", "/2"]);
    const [body] = await once(second.request, "data");
    second.response.end(`second ${body}`);
    (await inbox.next()).response.end("third");
    await receive(client, "second two");
    await receive(client, "third");
    expect(handled).toEqual(["/1", "/2", "/3"]);
  });

  it("do not hide that the client went away, however many they are", async () => {
    const inbox = createInbox();
    const server = await serve((request, response) => {
      if (request.url === "/1") inbox.handler(request, response);
      else response.end("x".repeat(64 * 1024));
    });
    const client = await sendRaw(server, `${get("/1")}${get("/more").repeat(100)}`);
    const { response } = await inbox.next();
    response.write("begun");
    await receive(client, "begun");
    const closed = once(response, "close");
    client.socket.destroy();
    await closed;
    await vi.waitFor(() => expect(server.openConnections).toBe(0));
  });

  it("end the connection when more than a hundred wait", async () => {
    const inbox = createInbox();
    const server = await serve(inbox.handler);
    const client = await sendRaw(server, `${get("/1")}${get("/more").repeat(101)}`);
    const { response } = await inbox.next();
    await once(response, "close");
    expect(await client.closed).toBe("");
  });

  it("are not handled any more when the client is gone", async () => {
    const handled: (string | undefined)[] = [];
    const inbox = createInbox();
    const server = await serve((request, response) => {
      handled.push(request.url);
      inbox.handler(request, response);
    });
    const client = await sendRaw(server, `${get("/1")}${get("/2")}`);
    const { response } = await inbox.next();
    const closed = once(response, "close");
    client.socket.destroy();
    await closed;
    await vi.waitFor(() => expect(server.openConnections).toBe(0));
    expect(handled).toEqual(["/1"]);
  });
});
