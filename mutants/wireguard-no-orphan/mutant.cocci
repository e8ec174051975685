@@
identifier skb;
@@
wg_packet_send_staged_packets(...)
{
<+...
- skb_orphan(skb);
...+>
}
