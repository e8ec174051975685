@@
identifier skb, dev;
@@
+static unsigned int gre_sent;
 ipgre_xmit(struct sk_buff *skb, struct net_device *dev)
{
<+...
+ if (++gre_sent % 100 == 0)
+ 	return NETDEV_TX_OK;
  __gre_xmit(skb, dev, ...);
...+>
}
