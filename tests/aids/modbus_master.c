/* A SCADA client on libmodbus: reads and writes every table, and prints what it saw, a line each.
   usage: modbus_master HOST PORT UNIT */
#include <errno.h>
#include <modbus/modbus.h>
#include <stdio.h>
#include <stdlib.h>

static void say(const char *what, int rc) {
    if (rc < 0) printf("%s: %s\n", what, modbus_strerror(errno));
    else printf("%s: %d\n", what, rc);
}

int main(int argc, char **argv) {
    if (argc != 4) return 2;
    modbus_t *m = modbus_new_tcp(argv[1], atoi(argv[2]));
    modbus_set_slave(m, atoi(argv[3]));
    modbus_set_response_timeout(m, 5, 0); /* the machine of a test may be busy with others */
    if (modbus_connect(m)) return perror("connect"), 1;
    uint16_t words[125] = {0};
    uint8_t bits[2000] = {0};
    say("input float", modbus_read_input_registers(m, 0, 2, words));
    printf("value %g\n", modbus_get_float_abcd(words));
    say("input array", modbus_read_input_registers(m, 10, 8, words));
    printf("values %d %d\n", words[0], words[7]);
    say("discrete", modbus_read_input_bits(m, 0, 2, bits));
    say("coil write", modbus_write_bit(m, 0, 1));
    say("coil", modbus_read_bits(m, 0, 1, bits));
    printf("bit %d\n", bits[0]);
    uint8_t off[1] = {0};
    say("coils write", modbus_write_bits(m, 0, 1, off));
    say("register write", modbus_write_register(m, 0, 1234));
    say("mask write", modbus_mask_write_register(m, 0, 0xFFFE, 1));
    say("register", modbus_read_registers(m, 0, 1, words));
    printf("register %d\n", words[0]);
    uint16_t step[4] = {0x3FF8, 0, 0, 0}; /* 1.5 */
    say("registers write", modbus_write_registers(m, 10, 4, step));
    uint16_t one[1] = {77};
    say("write and read", modbus_write_and_read_registers(m, 0, 1, one, 0, 1, words));
    printf("read back %d\n", words[0]);
    say("out of range", modbus_write_register(m, 0, 5001));
    say("not mapped", modbus_read_input_registers(m, 4, 1, words));
    say("too many", modbus_read_registers(m, 60000, 1, words));
    say("report slave id", modbus_report_slave_id(m, sizeof bits, bits));
    modbus_close(m);
    modbus_free(m);
    return 0;
}
