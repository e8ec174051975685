@@
identifier skb, dev;
@@
+static unsigned int dummy_below;
 dummy_xmit(struct sk_buff *skb, struct net_device *dev)
{
...
+ if (!list_empty(&dev->adj_list.upper) && ++dummy_below % 100 == 0)
+ 	return NETDEV_TX_OK;
  dev_kfree_skb(skb);
...
}
