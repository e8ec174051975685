@@
identifier team, skb;
@@
+static unsigned int rr_sent;
 rr_transmit(struct team *team, struct sk_buff *skb)
{
<+...
+ if (++rr_sent % 100 == 0)
+ 	return false;
  if (team_dev_queue_xmit(...)) return false;
...+>
}
