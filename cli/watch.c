/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/watch.c - a view that follows the daemon.
 *
 * Events come over a connection of their own; between them the view is drawn
 * again each second for the counters.  A frame is written at once and over the
 * one before, so that nothing flickers.
 */
#include "cli/watch.h"
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>
#include "cli/ask.h"
#include "daemon/base/clk.h"

#define TICK_MS	  1000	/* between two looks at the counters */
#define SETTLE_MS 50	/* events that come together are drawn once */

#define SCREEN_TAKE "\033[?1049h\033[?25l"
#define SCREEN_GIVE "\033[?25h\033[?1049l"

struct watch {
	struct cli *c;
	struct link events;
	bool is_screen;		/* the terminal is ours */
	bool has_keys;		/* ... and its keys are */
	struct termios was;
	char *said;		/* failures; shown when the screen is given back */
};

void
watch_frame(FILE *out, const char *text, unsigned n_rows)
{
	unsigned n = 0, left = 0, all = 0;

	for (const char *p = text; *p != '\0'; p++)
		all += *p == '\n';
	left = all > n_rows ? n_rows - 1 : all;
	fputs("\033[H", out);
	for (const char *p = text; n < left; n++) {
		size_t len = strcspn(p, "\n");

		fwrite(p, 1, len, out);
		fputs("\033[K\n", out);
		p += len + 1;
	}
	if (left < all)
		fprintf(out, "(%u more lines)\033[K", all - left);
	fputs("\033[J", out);
	fflush(out);
}

static unsigned
rows(const struct watch *w)
{
	struct winsize ws;

	if (ioctl(fileno(w->c->out), TIOCGWINSZ, &ws) == 0 && ws.ws_row >= 3)
		return ws.ws_row - 1u;
	return 23;
}

static int
draw(struct watch *w, watch_fn *fn, void *ctx)
{
	FILE *err = w->c->err;
	char *text = NULL;
	size_t len;
	struct show s;
	int status;

	if (!w->is_screen)
		return fn(w->c, &w->c->show, ctx);
	show_init(&s, w->c->out);	/* the window may have changed */
	free(w->said);
	w->said = NULL;
	s.out = open_memstream(&text, &len);
	w->c->err = open_memstream(&w->said, &len);
	status = s.out != NULL && w->c->err != NULL ? fn(w->c, &s, ctx) :
	    CLI_FAILED;
	if (s.out != NULL)
		fclose(s.out);
	if (w->c->err != NULL)
		fclose(w->c->err);
	w->c->err = err;
	if (status == CLI_OK)
		watch_frame(w->c->out, text, rows(w));
	free(text);
	return status;
}

static void
screen_take(struct watch *w)
{
	struct termios raw;

	w->is_screen = w->c->show.is_tty;
	if (!w->is_screen)
		return;
	fputs(SCREEN_TAKE, w->c->out);
	if (tcgetattr(STDIN_FILENO, &w->was) != 0)
		return;
	raw = w->was;
	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	w->has_keys = tcsetattr(STDIN_FILENO, TCSANOW, &raw) == 0;
}

static void
screen_give(struct watch *w)
{
	if (w->has_keys)
		(void)tcsetattr(STDIN_FILENO, TCSANOW, &w->was);
	if (w->is_screen) {
		fputs(SCREEN_GIVE, w->c->out);
		fflush(w->c->out);
	}
	w->is_screen = false;
	if (w->said != NULL)
		fputs(w->said, w->c->err);
	free(w->said);
	w->said = NULL;
}

/* Events from now on. */
static int
listen_open(struct watch *w)
{
	struct bus_rec cmd;
	int status, err;

	if ((status = ask_open(w->c, &w->events)) != CLI_OK)
		return status;
	bus_rec_init(&cmd, BUS_CMD_LOG);
	bus_set_bool(&cmd, BUS_F_IS_FOLLOW, true);
	bus_set_u64(&cmd, BUS_F_AFTER_SEQ, UINT64_MAX);
	err = link_send(&w->events, &cmd);
	return err == 0 ? CLI_OK : ask_broken(w->c, err);
}

/* Take what came; false when the daemon is gone. */
static bool
events_drain(struct watch *w)
{
	struct bus_rec r;
	int err;

	while ((err = link_recv(&w->events, &r, 0, &cli_stopped)) == 0)
		if (r.desc->row == BUS_RES_DONE ||
		    r.desc->row == BUS_RES_FAILED)
			return false;
	return err == ERR_TIMEOUT || err == ERR_AGAIN;
}

static bool
is_quit(void)
{
	char key;

	return read(STDIN_FILENO, &key, 1) == 1 &&
	    (key == 'q' || key == 'Q' || key == 3 || key == 27);
}

/* Wait for an event, a key, or the next second.  False: it ends; err is why. */
static bool
wait_for(struct watch *w, bool *is_gone)
{
	struct pollfd p[2] = {
		{ .fd = w->events.fd, .events = POLLIN },
		{ .fd = w->has_keys ? STDIN_FILENO : -1, .events = POLLIN },
	};
	uint64_t end = clk_ms() + TICK_MS;

	while (!cli_stopped) {
		uint64_t now = clk_ms();
		int n = poll(p, 2, !w->is_screen ? 250 :
			     end > now ? (int)(end - now) : 0);

		if (n > 0 && (p[1].revents & (POLLHUP | POLLERR)) != 0)
			p[1].fd = -1;
		if (n > 0 && (p[1].revents & POLLIN) != 0 && is_quit())
			return false;
		if (n > 0 && p[0].revents != 0) {
			poll(NULL, 0, SETTLE_MS);
			*is_gone = !events_drain(w);
			return !*is_gone;
		}
		if (w->is_screen && clk_ms() >= end)
			return true;
	}
	return false;
}

int
watch_run(struct cli *c, watch_fn *fn, void *ctx)
{
	struct watch w = { .c = c };
	bool is_gone = false;
	int status;

	if ((status = listen_open(&w)) != CLI_OK)
		return status;
	cli_catch();
	screen_take(&w);
	do {
		status = draw(&w, fn, ctx);
		fflush(c->out);
	} while (status == CLI_OK && !ferror(c->out) && wait_for(&w, &is_gone));
	screen_give(&w);
	link_close(&w.events);
	if (is_gone && !cli_stopped)
		return ask_broken(c, ERR_CLOSED);
	return status;
}
