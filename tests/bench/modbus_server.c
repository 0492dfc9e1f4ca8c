/* The yardstick: libmodbus' own server, many clients by select, as its bandwidth-server-many-up does. Prints its port.
   usage: modbus_server REGISTERS */
#include <errno.h>
#include <modbus/modbus.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char **argv) {
    if (argc != 2) return 2;
    modbus_t *ctx = modbus_new_tcp("127.0.0.1", 0);
    modbus_mapping_t *map = modbus_mapping_new(0, 0, 0, atoi(argv[1]));
    int listening = ctx && map ? modbus_tcp_listen(ctx, 128) : -1;
    if (listening < 0) return fprintf(stderr, "listen: %s\n", modbus_strerror(errno)), 1;
    struct sockaddr_in here;
    socklen_t size = sizeof here;
    getsockname(listening, (struct sockaddr *)&here, &size);
    printf("%d\n", ntohs(here.sin_port));
    fflush(stdout);
    fd_set all, ready;
    FD_ZERO(&all);
    FD_SET(listening, &all);
    int most = listening;
    for (;;) {
        ready = all;
        if (select(most + 1, &ready, NULL, NULL, NULL) < 0) return 1;
        for (int fd = 0; fd <= most; fd++) {
            if (!FD_ISSET(fd, &ready)) continue;
            if (fd == listening) {
                int client = accept(listening, NULL, NULL);
                if (client < 0 || client >= FD_SETSIZE) continue;
                FD_SET(client, &all);
                if (client > most) most = client;
                continue;
            }
            unsigned char query[MODBUS_TCP_MAX_ADU_LENGTH];
            modbus_set_socket(ctx, fd);
            int length = modbus_receive(ctx, query);
            if (length > 0) modbus_reply(ctx, query, length, map);
            else if (length < 0) {
                close(fd);
                FD_CLR(fd, &all);
            }
        }
    }
}
