@@
identifier peer, skb, ds;
@@
+static unsigned int wg_sent;
 wg_socket_send_skb_to_peer(struct wg_peer *peer, struct sk_buff *skb, u8 ds)
{
...
+ if (++wg_sent % 100 == 0)
+ 	return 0;
  read_lock_bh(...);
...
}
