# SPDX-License-Identifier: Apache-2.0
"""The browser interface: the bus by curl and by hand, logins, and those who try it on."""
import base64
import hashlib
import hmac
import http.client
import json
import os
import re
import shutil
import ssl
import struct
import subprocess
import threading
import time

import pytest

import topo
import webdriver
from browser import Bus, Client, dial, raw, tls
from gateway import BUILD, TAPIR, Gateway, office, realm, vpn
from lab import until
from wire import tshark

TOPOLOGY = topo.pair  # two gateways

WORD = "correct horse battery"
HOST = b"Host: localhost:4580\r\nConnection: close\r\n"


@pytest.fixture(scope="module")
def slow(web):
    """Clients that send next to nothing, from the beginning on."""
    socks = [dial(web.lab, "left") for _ in range(3)]
    socks[1].sendall(b"GET / HT")
    socks[2].sendall(b"POST /login HTTP/1.1\r\n" + HOST + b"Content-Length: 9\r\n\r\nab")
    return time.monotonic(), socks


@pytest.fixture(scope="module")
def web(lab):
    """tokyo with a browser interface; osaka, its peer."""
    b = Gateway(lab, "right", office("osaka", attrs="")).start()
    a = Gateway(lab, "left", office("tokyo", at="192.0.2.2", attrs=""), web=True).start()
    assert until(10, a.is_up)
    assert until(5, lambda: a.lines("web: confined") and a.lines("login: confined"))
    yield a
    a.stop()
    b.stop()


@pytest.fixture(scope="module")
def users(web):
    """Two accounts, made while it runs; the secret of the codes of the second."""
    assert user(web, "add", "hanako", "--role", "operator").returncode == 0
    made = user(web, "add", "taro", "--totp")
    secret = re.search(r"secret=(\w+)", made.stdout).group(1)
    return base64.b32decode(secret + "=" * (-len(secret) % 8))


def user(web, *argv):
    """tapir web user with the password in a file."""
    path = os.path.join(web.dir, "word")
    with open(path, "w", encoding="utf-8") as f:
        f.write(WORD + "\n")
    return web.tapir("web", "user", *argv, "--pass", path, "-d", os.path.join(web.dir, "keys"))


def sock(web):
    """A client on bus.sock."""
    return Client(web.lab, web.node, path=os.path.join(web.run_dir, "bus.sock"))


def link(web, *argv):
    """The secret of a new one-time link."""
    return web.json("web", *argv)["url"].split("#link=")[1]


def logged_in(web, *argv):
    """A browser that followed a link."""
    c = Client(web.lab, web.node)
    status, doc, _ = c.ask("POST", "/login", {"link": link(web, *argv)})
    assert status == 200, doc
    c.token = doc["token"]
    return c


def code(key, step=None):
    """RFC 6238."""
    step = int(time.time()) // 30 if step is None else step
    mac = hmac.new(key, struct.pack(">Q", step), hashlib.sha1).digest()
    at = mac[19] & 15
    return f"{(struct.unpack('>I', mac[at:at + 4])[0] & 0x7fffffff) % 1000000:06}"


def is_peer(state):
    """Does an item say this of the peer?"""
    return lambda i: i.get("result") == "peer" and "tag" not in i and i["state"] == state


# ---- the process ----------------------------------------------------------------

def test_process_is_alone(web, slow):
    """Its own user, no capability, a filter, and a network in which there is nothing."""
    assert slow
    for role in "web", "login":
        pid = web.pid(role)
        with open(f"/proc/{pid}/status", encoding="utf-8") as f:
            text = f.read()
        assert re.search(r"CapEff:\s0+$", text, re.M) and re.search(r"CapBnd:\s0+$", text, re.M)
        assert re.search(r"NoNewPrivs:\s1", text) and re.search(r"Seccomp:\s2", text)
    uids = {os.stat(f"/proc/{web.pid(r)}/task").st_uid for r in ("web",)}
    uid = re.search(r"Uid:\s(\d+)", open(f"/proc/{web.pid('web')}/status",
                                         encoding="utf-8").read()).group(1)
    assert uid not in ("0", re.search(r"Uid:\s(\d+)", open(
        f"/proc/{web.pid('main')}/status", encoding="utf-8").read()).group(1)), uids
    assert os.readlink(f"/proc/{web.pid('web')}/ns/net") != \
        os.readlink(f"/proc/{web.pid('main')}/ns/net")
    with open(f"/proc/{web.pid('web')}/net/dev", encoding="utf-8") as f:
        assert [x.split(":")[0].strip() for x in f.readlines()[2:]] == ["lo"]



# ---- the bus ---------------------------------------------------------------------

def test_curl(web):
    """The examples of doc/web.md."""
    path = os.path.join(web.run_dir, "bus.sock")
    script = r'''
set -eu
S="curl -s --unix-socket $1"
ID=$($S -X POST -H "Accept: application/json" http://localhost/bus/open | sed 's/.*"id":"\([^"]*\)".*/\1/')
$S -X PUT -H "Content-Type: application/json" -d '{"command":"status","tag":1}' http://localhost/bus/write/$ID
$S -X PUT -H "Content-Type: application/xml" -d '<command command="ping-daemon" tag="2"/>' http://localhost/bus/write/$ID
sleep 0.3
$S "http://localhost/bus/read/$ID?after=0"
$S -X DELETE -w '%{http_code}' http://localhost/bus/close/$ID
'''
    done = subprocess.run(["sh", "-c", script, "sh", path], stdout=subprocess.PIPE, timeout=20,
                          check=False)
    text = done.stdout.decode()
    assert done.returncode == 0 and text.startswith("<?xml"), text
    assert '<batch after="0" last="' in text and text.endswith("</batch>\n204")
    assert re.search(r'<result n="\d+" tag="1" result="peer" realm="branches" name="osaka"', text)
    assert re.search(r'<result n="\d+" tag="2" result="done"', text)


def test_state_and_events_come_by_themselves(web):
    """down and up by the bus; what happens is told at once."""
    bus = Bus(sock(web))
    assert bus.until(is_peer("up"))["name"] == "osaka"
    done = bus.run("down", realm="branches", peer="osaka")
    assert done[-1]["result"] == "done"
    bus.until(lambda i: i.get("event") == "peer-down")
    bus.until(is_peer("down"))
    bus.run("up", realm="branches", peer="osaka")
    event = bus.until(lambda i: i.get("event") == "peer-up")
    assert event["peer"] == "osaka" and event["sentence"].startswith("branches/osaka is up")
    bus.until(is_peer("up"))
    assert [i["n"] for i in bus.items] == list(range(1, len(bus.items) + 1))
    assert bus.close() == 204
    assert bus.client.ask("GET", f"/bus/read/{bus.id}?after=0")[0] == 404


def test_log_by_the_bus(web):
    """Old events on demand, beside the new ones."""
    bus = Bus(sock(web))
    got = bus.run("log", code="daemon-ready")
    assert [i.get("event") for i in got[:-1]] == ["daemon-ready"]
    assert bus.write("log", follow=True)[1] == 400
    two = [i["seq"] for i in bus.run("log", limit=2)[:-1]]
    assert len(two) == 2 and two[1] == two[0] + 1 and two[0] > got[0]["seq"]
    assert len(web.tapir("log", "-n", "3", "--code", "command").stdout.splitlines()) <= 3


def test_metrics(web):
    """What tapir metrics prints, also for a peer that is down; not for strangers."""
    c = sock(web)
    status, text, head = c.ask("GET", "/metrics")
    assert status == 200 and head["Content-Type"].startswith("text/plain; version=0.0.4")
    own = web.tapir("metrics").stdout
    assert re.search(rb'^tapir_peer_up\{[^}]*osaka[^}]*\} 1$', text, re.M), text[:500]
    assert {x.split()[2] for x in own.splitlines() if x.startswith("# TYPE")} == \
        {x.split()[2] for x in text.decode().splitlines() if x.startswith("# TYPE")}
    assert Client(web.lab, "left").ask("GET", "/metrics")[0] == 401


def test_who_asked_is_told(web, users):
    """The event of a command names the account."""
    c = Client(web.lab, "left")
    c.token = c.ask("POST", "/login", {"user": "hanako", "password": WORD})[1]["token"]
    bus = Bus(c)
    assert users and bus.run("rekey", realm="branches", peer="osaka")[-1]["result"] == "done"
    event = bus.until(lambda i: i.get("event") == "command")
    assert event["user"] == "hanako by the web"
    assert event["sentence"].startswith("hanako by the web asked for rekey")
    assert bus.run("history", realm="branches", peer="osaka")
    assert bus.write("capture")[1] == 400


# ---- captures --------------------------------------------------------------------------

def capturing(client, **fields):
    """POST /capture: the answer, not read yet."""
    head = {"Content-Type": "application/json", "Accept": "application/json"}
    if client.token:
        head["Authorization"] = f"Bearer {client.token}"
    client.request("POST", "/capture", json.dumps({"command": "capture", **fields}), head)
    return client.getresponse()


def frames(web, data, rule):
    """What tshark finds in a stream."""
    path = os.path.join(web.dir, "web.pcapng")
    with open(path, "wb") as f:
        f.write(data)
    return tshark(path, rule, ["frame.interface_name"])


def test_capture_is_a_stream(web):
    """curl and an operator: what is on the wire; one at a time; the end by the clock."""
    path = os.path.join(web.run_dir, "bus.sock")
    out = os.path.join(web.dir, "curl.pcapng")
    curl = subprocess.Popen(
        ["curl", "-sSf", "--unix-socket", path, "-o", out, "-H", "Content-Type: application/json",
         "-d", '{"command":"capture","what":"ike","left_s":2}', "http://localhost/capture"])
    bus = Bus(sock(web))
    assert until(5, lambda: len(bus.run("captures")) == 2)
    row = bus.run("captures")[0]
    assert row["user"] == "uid 0 by the web" and row["what"] == "ike" and row["left_s"] <= 2
    other = logged_in(web, "--role", "operator")
    assert capturing(other, what="esp").status == 409
    assert bus.run("rekey", realm="branches", peer="osaka")[-1]["result"] == "done"
    assert curl.wait(10) == 0
    with open(out, "rb") as f:
        got = frames(web, f.read(), "isakmp.exchangetype == 36")
    assert got and set(got) == {"ike"}, got
    assert bus.run("captures")[0]["text"] == "nobody captures"


def test_capture_ends_with_its_client(web):
    """The browser closes, or somebody stops it; the next may begin at once."""
    bus, c = Bus(sock(web)), logged_in(web, "--role", "operator")
    answer = capturing(c, left_s=900)
    assert answer.status == 200 and answer.getheader("Transfer-Encoding") == "chunked"
    assert bus.run("captures")[0]["what"] == "esp ike"
    answer.close()
    c.close()
    assert capturing(c, what="esp", left_s=30).status == 200
    assert until(5, lambda: bus.run("captures")[0].get("what") == "esp")
    number = bus.run("captures")[0]["capture"]
    assert bus.run("capture-stop", capture=number + 1)[-1]["result"] == "failed"
    assert bus.run("capture-stop", capture=number)[-1]["result"] == "done"
    assert until(5, lambda: len(bus.run("captures")) == 1)
    c.close()
    answer = capturing(c, what="esp", left_s=30)
    assert c.ask and sock(web) and answer.status == 200
    again = Client(web.lab, "left")
    again.token = c.token
    assert again.ask("DELETE", "/login")[0] == 204
    assert until(5, lambda: len(bus.run("captures")) == 1)
    with pytest.raises((http.client.IncompleteRead, ConnectionError)):
        answer.read()


def test_who_may_capture(web):
    """What is inside is for admins; keys for nobody; a viewer gets nothing; words for the rest."""
    viewer = logged_in(web, "--role", "viewer")
    operator, admin = logged_in(web, "--role", "operator"), logged_in(web)
    for client, fields, want in (
            (Client(web.lab, "left"), {}, 401), (viewer, {}, 403), (viewer, {"what": "esp"}, 403),
            (operator, {"what": "clear"}, 403), (operator, {"what": "esp,dropped"}, 403),
            (operator, {"what": "esp", "has_keys": True}, 403), (admin, {"has_keys": True}, 403),
            (admin, {"what": "everything"}, 400), (admin, {"left_s": 901}, 400),
            (admin, {"peer": "nobody", "left_s": 1}, 404), (admin, {"command": "status"}, 400),
            (admin, {"unknown": 1}, 400)):
        answer = capturing(client, **fields)
        text = json.loads(answer.read())
        assert answer.status == want and text["code"] and text["text"], (fields, text)
    assert viewer.ask("GET", "/capture")[0] == 405
    answer = capturing(admin, what="clear", n_bytes=1, left_s=900, peer="branches/osaka".split("/")[1])
    assert answer.status == 200
    web.tapir("ping", "--inner", "-c", "1", "osaka", "10.99.99.99")
    admin.close()


# ---- the configuration ----------------------------------------------------------------

def conf_read(client):
    """The file, and what If-Match wants."""
    status, text, head = client.ask("GET", "/conf")
    assert status == 200 and head["Content-Type"].startswith("application/xml")
    return text.decode(), head["ETag"]


def test_configuration_by_curl(web):
    """The example of doc/web.md, as it stands there."""
    with open(os.path.join(os.path.dirname(__file__), "..", "..", "doc", "web.md"),
              encoding="utf-8") as f:
        script = f.read().split("## The configuration")[1].split("```sh\n")[1].split("```")[0]
    where = web.lab.mkdir("curl")
    done = subprocess.run(["sh", "-eu", "-c", script.replace(
        "/run/tapir/bus.sock", os.path.join(web.run_dir, "bus.sock"))], cwd=where,
        stdout=subprocess.PIPE, timeout=20, check=False, env={
            **os.environ, "PATH": os.path.dirname(TAPIR) + ":" + os.environ["PATH"], "TAPIR_RUN_DIR": web.run_dir})
    assert done.returncode == 0 and done.stdout.count(b'ok="true"') == 2, done.stdout
    with open(os.path.join(where, "tapir.xml"), "rb") as got, open(web.conf_path, "rb") as f:
        assert got.read() == f.read()


def test_preview_and_mistakes_change_nothing(web):
    """Where each mistake is; what would change; who may."""
    c = sock(web)
    text, _ = conf_read(c)
    bad = text.replace("<vpn ", '<vpn nonsense="1" ').replace("<peer ", '<peer encap="tcp" ')
    status, doc, _ = c.ask("PUT", "/conf?dry=1", bad.encode())
    assert status == 422 and doc["ok"] is False and doc["code"] == "ERR_CONF"
    places = {(i["line"], i["code"]) for i in doc["items"] if i["result"] == "mistake"}
    lines = bad.splitlines()
    assert {"nonsense" in lines[line - 1] or "encap" in lines[line - 1]
            for line, _ in places} == {True} and len(places) == 2, doc
    assert all(i["file"] == web.conf_path and i["column"] > 0 and i["why"] for i in doc["items"])
    status, doc, _ = c.ask("PUT", "/conf?dry=1", text.replace('dpd="1"', 'dpd="2"').encode())
    assert status == 200 and doc["items"][0]["result"] == "change", doc
    assert (doc["items"][0]["name"], doc["items"][0]["after"]) == ("dpd", "2")
    for junk in b"", b"\0" * 10, b"\x01/etc/passwd\0<vpn/>\0", b"<!DOCTYPE a>", b"<vpn>" * 9000:
        assert c.ask("PUT", "/conf?dry=1", junk)[0] in (400, 422), junk[:20]
    assert c.ask("GET", "/conf?file=/etc/passwd")[0] == 404
    assert c.ask("PUT", "/conf?dry=1&file=/etc/passwd", text.encode())[0] == 404
    assert conf_read(c)[0] == text
    files = c.ask("GET", "/conf/files")[1]["items"]
    assert [(i["file"], i["main"], i["n_bytes"]) for i in files] == \
        [(web.conf_path, True, len(text.encode()))]
    assert logged_in(web, "--role", "operator").ask("GET", "/conf")[0] == 403
    stranger = Client(web.lab, "left")
    assert [stranger.ask(*what)[0] for what in (
        ("GET", "/conf"), ("PUT", "/conf?dry=1", b"<vpn/>"))] == [401, 401]


def test_written_reloaded_and_taken_back(web):
    """Another one was faster; what nobody confirms goes, in the file too; what is confirmed stays."""
    c = logged_in(web)
    bus = Bus(c)
    text, tag = conf_read(c)
    new = text.replace('dpd="1"', 'dpd="3"')
    assert c.ask("PUT", "/conf", new.encode())[0] == 428
    status, doc, _ = c.ask("PUT", "/conf", new.encode(), If_Match=tag)
    assert status == 200 and doc["ok"] and f'"{doc["digest"]}"' == conf_read(c)[1]
    event = bus.until(lambda i: i.get("event") == "config-written")
    assert event["user"] == "root by the web" and event["file"] == web.conf_path
    assert c.ask("PUT", "/conf", text.encode(), If_Match=tag)[0] == 409
    assert bus.run("reload", confirm_s=1)[-1]["result"] == "done"
    bus.until(lambda i: i.get("event") == "config-back")
    assert until(5, lambda: conf_read(c) == (text, tag))
    status, doc, _ = c.ask("PUT", "/conf", new.encode(), If_Match=tag)
    assert status == 200
    assert until(5, lambda: bus.run("reload", confirm_s=20)[-1]["result"] == "done")
    assert bus.run("confirm")[-1]["result"] == "done"
    assert conf_read(c)[0] == new
    own = new.replace("<vpn ", '<vpn edit="x" ').replace("</vpn>", '  <web edit="no"/>\n</vpn>')
    assert c.ask("PUT", "/conf", own.encode(), If_Match=conf_read(c)[1])[0] == 422
    own = new.replace("</vpn>", '  <web edit="no"/>\n</vpn>')
    assert c.ask("PUT", "/conf", own.encode(), If_Match=conf_read(c)[1])[0] == 200
    assert bus.run("reload")[-1]["result"] == "done"
    status, doc, _ = c.ask("PUT", "/conf", text.encode(), If_Match=conf_read(c)[1])
    assert status == 403 and "machine itself" in doc["hint"]
    with open(web.conf_path, "w", encoding="utf-8") as f:
        f.write(text)
    assert web.tapir("reload").returncode == 0


def test_fifty_sessions_hear_the_same(web):
    """One event for all who wait."""
    buses = [Bus(sock(web)) for _ in range(50)]
    for bus in buses:
        bus.until(is_peer("up"))
    got = []
    threads = [threading.Thread(target=lambda b=b: got.append(
        b.until(lambda i: i.get("event") == "peer-rekeyed")["seq"])) for b in buses]
    for t in threads:
        t.start()
    time.sleep(0.2)
    assert web.tapir("rekey", "osaka").returncode == 0
    for t in threads:
        t.join(20)
    assert len(got) == 50 and len(set(got)) == 1
    more = [sock(web).ask("POST", "/bus/open", b"")[0] for _ in range(20)]
    assert more.count(503) > 0 and set(more) <= {201, 503}
    for bus in buses:
        bus.close()


def test_other_users_are_refused(web):
    """The kernel says who is at the other end."""
    path = os.path.join(web.run_dir, "bus.sock")
    done = subprocess.run(["setpriv", "--reuid", "64999", "--clear-groups", "curl", "-s", "-o",
                           "/dev/null", "-w", "%{http_code}", "-d", "", "--unix-socket", path,
                           "http://localhost/bus/open"], stdout=subprocess.PIPE, timeout=10,
                          check=False)
    assert done.stdout == b"403"


# ---- logins ------------------------------------------------------------------------

def test_link_works_once(web):
    """A second use, a made-up one, a token after logging out: no."""
    secret = link(web)
    c = Client(web.lab, "left")
    status, doc, _ = c.ask("POST", "/login", {"link": secret})
    assert status == 200 and doc["role"] == "admin"
    c.token = doc["token"]
    assert c.ask("GET", "/login")[1]["user"] == "root"
    assert Bus(c).until(is_peer("up"))
    other = Client(web.lab, "left")
    assert other.ask("POST", "/login", {"link": secret})[0] == 401
    assert other.ask("POST", "/login", {"link": "0" * 64})[0] == 401
    assert other.ask("POST", "/bus/open", b"")[0] == 401
    assert c.ask("DELETE", "/login")[0] == 204
    assert c.ask("GET", "/login")[0] == 401
    assert web.tapir("web", "--role", "god").returncode == 1


def test_roles(web):
    """A viewer looks; sessions belong to their login."""
    viewer, admin = logged_in(web, "--role", "viewer"), logged_in(web)
    bus = Bus(viewer)
    assert bus.run("status")[-1]["result"] == "done"
    assert bus.write("down", realm="branches", peer="osaka")[1] == 403
    assert bus.write("web")[1] == 403
    for method, path in ("GET", f"/bus/read/{bus.id}"), ("DELETE", f"/bus/close/{bus.id}"):
        assert admin.ask(method, path)[0] == 404
    said = Bus(admin).run("web")    # where it is; links are root's to make
    assert said[-1]["result"] == "done" and "link" not in said[0]["url"]


def test_passwords(web, users):
    """Name and password, codes that count once, Basic for scripts and not for pages."""
    c = Client(web.lab, "left")
    status, doc, _ = c.ask("POST", "/login", {"user": "hanako", "password": WORD})
    assert status == 200 and doc["role"] == "operator"
    assert c.ask("POST", "/login", {"user": "hanako", "password": WORD + "x"})[0] == 401
    assert c.ask("POST", "/login", {"user": "taro", "password": WORD})[0] == 401
    now = code(users)
    assert c.ask("POST", "/login", {"user": "taro", "password": WORD, "code": now})[0] == 200
    assert c.ask("POST", "/login", {"user": "taro", "password": WORD, "code": now})[0] == 401
    basic = "Basic " + base64.b64encode(f"hanako:{WORD}".encode()).decode()
    status, doc, _ = c.ask("POST", "/bus/open", b"", Authorization=basic)
    assert status == 201 and doc["role"] == "operator"
    assert c.ask("GET", f"/bus/read/{doc['id']}", Authorization=basic)[0] == 200
    assert c.ask("POST", "/bus/open", b"", Authorization=basic, Origin="http://127.0.0.1:4580",
                 Sec_Fetch_Site="same-origin")[0] == 401


def test_proving_it_again(web, users):
    """PUT /login with the password; a wrong one does not."""
    c = Client(web.lab, "left")
    c.token = c.ask("POST", "/login", {"user": "hanako", "password": WORD})[1]["token"]
    assert c.ask("PUT", "/login", {"password": "wrong wrong"})[0] == 401
    assert c.ask("PUT", "/login", {"password": WORD})[1]["proved"] is True
    assert users


def test_no_password_stays_in_memory(web, users):
    """Not in tapir-web, not in tapird; what was asked is forgotten."""
    word = "unique-" + os.urandom(8).hex()
    c = Client(web.lab, "left")
    for name in "hanako", "nobody":
        c.ask("POST", "/login", {"user": name, "password": word})
    basic = base64.b64encode(f"nobody:{word}".encode()).decode()
    c.ask("GET", "/login", Authorization="Basic " + basic)
    for role in "web", "main", "login":
        pid = web.pid(role)
        with open(f"/proc/{pid}/maps", encoding="utf-8") as maps, \
                open(f"/proc/{pid}/mem", "rb", 0) as mem:
            for line in maps:
                if " rw" not in line or "[v" in line:
                    continue
                lo, hi = (int(x, 16) for x in line.split()[0].split("-"))
                try:
                    mem.seek(lo)
                    held = mem.read(hi - lo)
                except OSError:
                    continue
                assert word.encode() not in held, (role, line)
                assert basic.encode() not in held, (role, line)
    assert users


def test_who_is_removed_is_out(web, users):
    """A held read ends within two seconds, the token is worth nothing; so after a new password."""
    def there(name):
        c = Client(web.lab, "left")
        c.token = c.ask("POST", "/login", {"user": name, "password": WORD})[1]["token"]
        bus = Bus(c)
        bus.until(is_peer("up"))
        return c, bus

    assert users and user(web, "add", "goro", "--role", "viewer").returncode == 0
    for change in ("set", "goro", "--role", "operator"), ("set", "goro"), ("del", "goro"):
        c, bus = there("goro")
        other, _ = there("hanako")
        begin = time.monotonic()
        assert user(web, *change).returncode == 0
        with pytest.raises(AssertionError, match="410"):
            while time.monotonic() < begin + 60:
                bus.read()
        assert time.monotonic() < begin + 15        # a held read takes 25 s
        assert c.ask("GET", "/login")[0] == 401
        assert other.ask("GET", "/login")[0] == 200


def test_guessing_is_slowed(web, users):
    """An account waits for who guesses; so does who tries tokens, by his address."""
    c = Client(web.lab, "left", source="127.0.0.9")
    got = [c.ask("POST", "/login", {"user": "jiro", "password": f"guess {i}"}) for i in range(5)]
    assert [g[0] for g in got[:3]] == [401] * 3 and got[-1][0] == 429
    assert int(got[-1][2]["Retry-After"]) >= 1
    c.token = "0" * 64
    tries = [c.ask("GET", "/login")[0] for _ in range(30)]
    assert set(tries) == {401, 429} and tries[-1] == 429
    assert logged_in_anyway(web, users)


def logged_in_anyway(web, users):
    """Who has a token is not slowed by them."""
    path = os.path.join(web.run_dir, "bus.sock")
    return users and Client(web.lab, "left", path=path).ask("GET", "/login")[0] == 200


# ---- those who try it on --------------------------------------------------------------

OPEN = b"POST /bus/open HTTP/1.1\r\n"


@pytest.mark.parametrize("data, want", [
    (b"GET / HTTP/1.1\r\nConnection: close\r\nHost: evil.example\r\n\r\n", 421),
    (b"GET / HTTP/1.1\r\nConnection: close\r\nHost: localhost.evil.example\r\n\r\n", 421),
    (b"GET / HTTP/1.1\r\nConnection: close\r\nHost: 127.0.0.1:4580:1\r\n\r\n", 421),
    (b"GET / HTTP/1.1\r\nConnection: close\r\nHost: localhost@evil.example\r\n\r\n", 421),
    (OPEN + HOST + b"Origin: http://evil.example\r\nContent-Length: 0\r\n\r\n", 403),
    (OPEN + HOST + b"Origin: null\r\nContent-Length: 0\r\n\r\n", 403),
    (OPEN + HOST + b"Origin: https://localhost:4580\r\nContent-Length: 0\r\n\r\n", 403),
    (OPEN + HOST + b"Origin: http://localhost:4581\r\nContent-Length: 0\r\n\r\n", 403),
    (OPEN + HOST + b"Sec-Fetch-Site: cross-site\r\nContent-Length: 0\r\n\r\n", 403),
    (OPEN + HOST + b"Sec-Fetch-Site: same-site\r\nContent-Length: 0\r\n\r\n", 403),
    (b"GET /app.js HTTP/1.1\r\n" + HOST + b"Sec-Fetch-Site: cross-site\r\n\r\n", 403),
    (b"GET / HTTP/1.1\r\n" + HOST + b"Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\n"
     b"Sec-Fetch-Dest: iframe\r\n\r\n", 403),
    (b"GET / HTTP/1.1\r\n" + HOST + b"Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\n"
     b"Sec-Fetch-Dest: document\r\n\r\n", 200),
    (b"GET /../../etc/passwd HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    (b"GET /%2e%2e/%2e%2e/etc/passwd HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    (b"GET /www/index.html HTTP/1.1\r\n" + HOST + b"\r\n", 404),
    (b"GET http://localhost:4580/ HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    (b"CONNECT evil.example:443 HTTP/1.1\r\n" + HOST + b"\r\n", 501),
    (b"TRACE / HTTP/1.1\r\n" + HOST + b"\r\n", 501),
    (b"OPTIONS /bus/open HTTP/1.1\r\n" + HOST + b"Origin: http://evil.example\r\n\r\n", 501),
    (b"GET /bus/open HTTP/1.1\r\n" + HOST + b"\r\n", 405),
    (b"PUT / HTTP/1.1\r\n" + HOST + b"Content-Length: 0\r\n\r\n", 405),
    (b"GET / HTTP/1.1\nHost: localhost\n\n", 400),
    (b"GET / HTTP/1.1\r\n" + HOST + b"X: " + b"a" * 17000 + b"\r\n\r\n", 431),
    (b"POST /login HTTP/1.1\r\n" + HOST + b"Content-Length: 70000\r\n\r\n", 413),
    (b"POST /login HTTP/1.1\r\n" + HOST + b"Content-Length: 9000\r\n\r\n" + b" " * 9000, 413),
    (b"POST /login HTTP/1.1\r\n" + HOST + b"Content-Type: text/plain\r\nContent-Length: 2\r\n\r\n{}",
     415),
    (b"POST /login HTTP/1.1\r\n" + HOST + b"Content-Type: application/x-www-form-urlencoded\r\n"
     b"Content-Length: 3\r\n\r\na=b", 415),
    (b"PUT /conf HTTP/1.1\r\n" + HOST + b"Origin: http://evil.example\r\nContent-Length: 6\r\n\r\n<vpn/>",
     403),
    (b"GET /conf HTTP/1.1\r\n" + HOST + b"Sec-Fetch-Site: cross-site\r\n\r\n", 403),
    (b"PUT /conf HTTP/1.1\r\n" + HOST + b"Content-Length: 70000\r\n\r\n", 413),
    (b"GET /conf/../keys/branches.psk HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    (b"GET /conf/keys HTTP/1.1\r\n" + HOST + b"\r\n", 404),
    (b"POST /capture HTTP/1.1\r\n" + HOST + b"Sec-Fetch-Site: same-site\r\nContent-Length: 2\r\n"
     b"\r\n{}", 403),
    (b"GET /capture HTTP/1.1\r\n" + HOST + b"\r\n", 405),
    (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 200, 400),
    (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 501),
])
def test_refused(web, data, want):
    """One answer, which is the right one, and no more."""
    codes, text = raw(dial(web.lab, "left"), data + b"")
    assert codes == [want], text[:300]
    assert b"root:" not in text and b"Access-Control" not in text


@pytest.mark.parametrize("head", [
    b"Content-Length: 5\r\nContent-Length: 60\r\n\r\n",
    b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
    b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n",
    b"Transfer-Encoding: xchunked\r\n\r\n",
    b"Transfer-Encoding : chunked\r\n\r\n",
    b"Content-Length: 5\r\n Content-Length: 60\r\n\r\n",
    b"X: y\nContent-Length: 5\r\n\r\n",
    b"Content-Length: 5 60\r\n\r\n",
])
def test_smuggling(web, head):
    """Whatever follows an ambiguous head is never taken for a request."""
    data = b"POST /login HTTP/1.1\r\n" + HOST + head + \
        b"0\r\n\r\nGET /index.html HTTP/1.1\r\n" + HOST + b"\r\n"
    codes, text = raw(dial(web.lab, "left"), data)
    assert len(codes) == 1 and codes[0] in (400, 501), text[:300]


@pytest.mark.parametrize("body", [
    b'<!DOCTYPE a [<!ENTITY b "bbbb"><!ENTITY c "&b;&b;">]><login link="&c;"/>',
    b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><login/>',
    b"<login>" + b"<a>" * 900 + b"</a>" * 900 + b"</login>",
    b'<login xmlns:xi="http://www.w3.org/2001/XInclude"><xi:include href="file:///etc/passwd"/></login>',
    b'{"link":' + b"[" * 4000 + b"]" * 4000 + b"}",
    b'{"link":"a","link":"b"}',
    '<?xml version="1.0" encoding="UTF-16"?><login link="a"/>'.encode("utf-16"),
])
def test_bombs(web, body):
    """Refused before any parser works on them."""
    c = Client(web.lab, "left")
    kind = "application/json" if body[:1] == b"{" else "application/xml"
    status, doc, _ = c.ask("POST", "/login", body, Content_Type=kind)
    assert status == 400 and "root:" not in str(doc)


def test_pipelined_requests_are_answered_in_order(web):
    """What RFC 9112 9.3.2 permits works."""
    data = b"".join(b"GET /%s HTTP/1.1\r\nHost: localhost\r\n\r\n" % p
                    for p in (b"style.css", b"nothing"))
    data += b"GET / HTTP/1.1\r\n" + HOST + b"\r\n"
    assert raw(dial(web.lab, "left"), data)[0] == [200, 404, 200]


def test_markup_of_peers_stays_text(web):
    """Whatever is in a field is escaped in both forms."""
    c = sock(web)
    bus = Bus(c)
    tag, _ = bus.write("status", realm="<script>\"'&")
    failed = bus.until(lambda i: i.get("tag") == tag)
    assert "<script>" in failed["text"]
    _, text, _ = c.ask("GET", f"/bus/read/{bus.id}?after={bus.before}", Accept="text/xml")
    assert b"&#60;script&#62;" in text and b"<script" not in text


def test_headers_and_files(web):
    """What keeps a page from being used: policies, types, no cookie."""
    c = Client(web.lab, "left")
    status, text, head = c.ask("GET", "/")
    assert status == 200 and b"<script type=\"module\" src=" in text
    policy = head["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'") and "unsafe" not in policy
    assert "require-trusted-types-for 'script'" in policy and "frame-ancestors 'none'" in policy
    assert head["X-Content-Type-Options"] == "nosniff" and head["Set-Cookie"] is None
    assert c.ask("GET", "/", If_None_Match=head["ETag"])[0] == 304
    status, text, packed = c.ask("GET", "/app.js", Accept_Encoding="gzip, br")
    assert packed["Content-Encoding"] == "gzip" and text[:2] == b"\x1f\x8b"
    tag = packed["ETag"].strip('"')
    assert "immutable" in c.ask("GET", f"/app.js?v={tag[:8]}")[2]["Cache-Control"]
    assert "immutable" not in c.ask("GET", "/app.js?v=00000000")[2]["Cache-Control"]
    assert c.ask("GET", "/login")[2]["Cache-Control"] == "no-store"


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_the_pages_are_light(lang):
    """All that a browser can fetch of the screens in a language; no page fetches the licences."""
    with open(os.path.join(BUILD, "webui", "gz", "weight"), encoding="ascii") as f:
        kind, *rows = f.read().splitlines()
    if kind != "zopfli":
        pytest.skip("packed by gzip: zopfli is not here")
    files = {path: int(size) for size, path in map(str.split, rows)}
    assert files["/lang/en.js"] and files["/lang/ja.js"]
    others = [r"ja\.js$" if lang == "en" else r"/en\.js$", "licences"]
    assert sum(n for path, n in files.items() if not any(re.search(o, path) for o in others)) <= 100_000


# ---- failures --------------------------------------------------------------------------

def test_it_comes_back(web):
    """tapir-web killed: started again. The main process killed: sessions go on."""
    web.kill_role("web")
    assert until(5, lambda: len(web.lines("tapir-web ended")) == 1 and web.pid("web"))
    c = logged_in(web)
    bus = Bus(c)
    bus.until(is_peer("up"))
    web.kill_role("main")
    bus.until(lambda i: i.get("resync"))
    bus.until(is_peer("up"))
    assert c.ask("GET", "/login")[0] == 200


def test_passwords_after_a_crash(web, users):
    """The process that looks at passwords is started again, too."""
    web.kill_role("login")
    c = Client(web.lab, "left")
    assert until(5, lambda: c.ask("POST", "/login", {"user": "hanako", "password": WORD})[0] == 200)
    assert users


def test_slow_clients_are_let_go(web, slow):
    """10 seconds for a head, 10 for a body; others are served meanwhile."""
    begin, socks = slow
    assert Client(web.lab, "left").ask("GET", "/")[0] == 200
    for s in socks:
        s.settimeout(max(0.1, begin + 23 - time.monotonic()))
        assert s.recv(10) == b""


def test_many_idle_connections_make_room(web):
    """Who only connects is the first to go."""
    idle = [dial(web.lab, "left") for _ in range(130)]
    assert Client(web.lab, "left").ask("GET", "/")[0] == 200
    for s in idle:
        s.close()


# ---- other machines ----------------------------------------------------------------------

def made_cert(web, name):
    """A self-signed certificate in keys/."""
    base = os.path.join(web.dir, "keys", name)
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:P-256", "-nodes", "-keyout", base + ".key", "-out",
                    base + ".pem", "-days", "2", "-subj", f"/CN={name}"], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    os.chmod(base + ".key", 0o600)
    return base


def tokyo(attrs):
    """A configuration with <web>."""
    return vpn(realm("tokyo", "osaka", attrs=""), f"  <web {attrs}/>\n")


def test_other_addresses_need_tls_and_somebody_to_prove(lab, web):
    """Refused without a certificate; not served without anybody who could log in."""
    web.stop()
    shutil.rmtree(os.path.join(web.dir, "keys", "web"))
    g = Gateway(lab, "left", tokyo('listen="192.0.2.1:4580"'), web=True)
    done = lab.run("left", TAPIR, "check", g.conf_path)
    assert done.returncode != 0 and "needs TLS" in done.stdout
    made_cert(g, "web")
    admin = made_cert(g, "admin")
    keys = {"branches.psk": "x" * 20}
    g.write(tokyo('listen="192.0.2.1:4580" cert="web.pem"'), keys)
    g.start()
    try:
        assert until(5, lambda: g.lines("nobody has a password or certificate"))
        with pytest.raises(OSError):
            dial(lab, "right", ("192.0.2.1", 4580))
    finally:
        g.stop()
    g.write(tokyo('listen="192.0.2.1:4580" cert="web.pem" client-ca="admin.pem"'), keys)
    g.start()
    try:
        at = ("192.0.2.1", 4580)
        assert until(5, lambda: g.pid("web"))
        with pytest.raises((ssl.SSLError, OSError)):
            Client(lab, "right", addr=at, tls=tls(max=ssl.TLSVersion.TLSv1_2)).ask("GET", "/")
        with pytest.raises((ssl.SSLError, OSError)):
            Client(lab, "right", addr=at, tls=tls()).ask("GET", "/")
        c = Client(lab, "right", addr=at, tls=tls(cert=admin + ".pem", key=admin + ".key"))
        assert c.ask("GET", "/")[0] == 200
        assert c.ask("POST", "/bus/open", b"")[0] == 401
        url = g.json("web")["url"]
        assert url.startswith("https://192.0.2.1:4580/#link=")
        status, doc, _ = c.ask("POST", "/login", {"link": url.split("=")[1]},
                               Origin="https://192.0.2.1:4580", Sec_Fetch_Site="same-origin")
        assert status == 200, doc
        assert raw(dial(lab, "right", at), b"GET / HTTP/1.1\r\n" + HOST + b"\r\n")[0] == []
    finally:
        g.stop()


def test_own_pages(lab):
    """--web-root: the example page, and nothing beside the directory."""
    root = os.path.join(os.path.dirname(__file__), "..", "..", "conf", "example", "ui-minimal")
    g = Gateway(lab, "left", office("tokyo", attrs=""), web=True,
                args=("--web-root", os.path.abspath(root))).start()
    try:
        c = Client(lab, "left")
        assert until(5, lambda: g.pid("web"))
        status, text, _ = c.ask("GET", "/")
        assert status == 200 and b"peers.js" in text
        assert c.ask("GET", "/peers.js")[2]["Content-Type"].startswith("text/javascript")
        assert c.ask("GET", "/app.js")[0] == 404
        if shutil.which("chromedriver"):
            driver = webdriver.Driver(lab, "left")
            try:
                b = driver.browser()
                b.open(g.json("web")["url"])
                b.wait_text("branches/osaka", "#list")
                assert "link" not in b.js("return location.href")
                assert all("/favicon.ico" in x for x in b.complaints())  # it has none
            finally:
                driver.stop()
    finally:
        g.stop()
